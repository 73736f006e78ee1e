"""Problems of one kind are said once, with their count and rows."""

from __future__ import annotations

from gandl_analysis.pages.frame.problems import grouped
from gandl_shared.errors import Problem


def test_equal_problems_are_one_with_runs_of_rows() -> None:
    rows = [3, 4, 5, 9]
    problems = [Problem("is no role", file="map.csv", row=row, field="role") for row in rows]
    (group,) = grouped([*problems, Problem("is no role", file="map.csv", row=12, field="role", more=4)])
    assert (group.count, group.is_example) == (9, False)
    assert group.position == "map.csv, column role, rows 3–5, 9, 12"


def test_problems_that_differ_in_a_number_are_an_example_of_their_kind() -> None:
    first, second = grouped([Problem("well 'A01' has 2 doses"), Problem("well 'B07' has 3 doses"), Problem("other")])
    assert (first.count, first.is_example, first.position) == (2, True, "")
    assert second.detail == "other"


def test_a_field_of_a_form_is_no_column() -> None:
    (group,) = grouped([Problem("must be a number", field="alpha")])
    assert group.position == "field alpha"


def test_long_lists_of_rows_are_counted() -> None:
    (group,) = grouped([Problem("is empty", row=2 * n) for n in range(1, 30)])
    assert group.position == "rows 2, 4, 6, 8, 10, 12, 14, 16 and 21 more"


def test_a_problem_of_many_images_is_one() -> None:
    problems = [Problem("has 5 channels", file=f"{n}.tif", field="channel") for n in range(40)]
    (group,) = grouped(problems)
    assert (group.count, group.is_example) == (40, False)
    assert group.position == "0.tif and 39 other files, column channel"
