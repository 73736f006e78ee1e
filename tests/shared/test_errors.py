"""Errors say where the problem is, and answer with their status."""

from __future__ import annotations

import pytest
from gandl_shared.errors import (
    BadInput,
    Full,
    GandlError,
    Invalid,
    NotFound,
    Problem,
    condense_problems,
    raise_if,
    without_folders,
)


def subclasses(error: type[GandlError]) -> list[type[GandlError]]:
    return [error, *(further for child in error.__subclasses__() for further in subclasses(child))]


def test_every_error_of_the_user_is_a_4xx_with_exit_code_2() -> None:
    for error in subclasses(BadInput):
        assert 400 <= error.status < 500
        assert error.exit_code == 2
    for error in set(subclasses(GandlError)) - set(subclasses(BadInput)):
        assert error.exit_code == 1


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("no plate name"), "no plate name"),
        (Problem("no plate name", file="map.csv", row=3, field="plate"), "map.csv, row 3, plate: no plate name"),
        (Problem("is empty", field="name"), "name: is empty"),
    ],
)
def test_a_problem_names_its_place(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_the_json_leaves_out_what_is_not_known() -> None:
    error = Invalid("the plate map cannot be used", problems=[Problem("no plate name", row=3)])
    assert error.body() == {
        "error": "Invalid",
        "detail": "the plate map cannot be used",
        "problems": [{"detail": "no plate name", "row": 3}],
    }


def test_all_problems_are_raised_and_three_are_in_the_message() -> None:
    problems = [Problem(f"problem {n}") for n in range(5)]
    with pytest.raises(NotFound, match="^images: problem 0; problem 1; problem 2; and 2 more$") as caught:
        raise_if(problems, NotFound, "images")
    assert caught.value.problems == tuple(problems)


def test_problems_of_one_kind_are_examples_and_a_count() -> None:
    rows = [Problem(f"'{n}x' is not a number", row=n, field="dose") for n in range(2, 30)]
    other = [Problem("is empty", row=7, field="dose"), Problem("'9x' is not a number", row=9, field="response")]
    condensed = condense_problems([*rows[:6], *other, *rows[6:]])
    assert [(problem.row, problem.field, problem.more) for problem in condensed] == [
        *[(n, "dose", 0) for n in range(2, 6)],
        (6, "dose", 23),
        (7, "dose", 0),
        (9, "response", 0),
    ]
    # A client that got the condensed list loses no count.
    assert condense_problems(condensed) == condensed


def test_the_json_counts_what_it_does_not_list() -> None:
    body = Invalid("x", problems=[Problem("is empty", row=n) for n in range(2, 2000)]).body()
    problems = body["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 5
    assert problems[-1] == {"detail": "is empty", "row": 6, "more": 1993}


def test_nothing_is_raised_without_a_problem() -> None:
    raise_if([], NotFound, "images")


def test_a_full_queue_says_when_to_come_back() -> None:
    assert (Full("full", retry_after=2.5).retry_after, Full.status) == (2.5, 429)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the disk of /data/own is full", "the disk of …/own is full"),
        ("'/data/a/b.tif' is away", "'…/b.tif' is away"),
        ("database sqlite:////data/gandl.db: away", "database sqlite:…/gandl.db: away"),
        ("image p1/a.tif of the folder /a is away", "image p1/a.tif of the folder …/a is away"),
        ("1/2 of 3 batches", "1/2 of 3 batches"),
        ("http://embedding/embed does not answer", "http://embedding/embed does not answer"),
    ],
)
def test_absolute_paths_lose_their_folders(text: str, expected: str) -> None:
    assert without_folders(text) == expected
