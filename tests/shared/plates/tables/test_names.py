"""One spelling for names that look alike; names that differ by case only are shown to the user."""

from __future__ import annotations

import pytest
from gandl_shared.plates.tables.names import fold_name, folding_notes, similar_names


@pytest.mark.parametrize(
    "text", ["Cmp A", "Cmp  A", "Cmp\u00a0A", " Cmp A ", "Cmp\u2009A", "Cmp\u200b A", "Cmp\nA", "Ｃｍｐ A"]
)
def test_blanks_and_unicode_forms_are_folded(text: str) -> None:
    assert fold_name(text) == "Cmp A"


def test_both_signs_for_micro_and_both_forms_of_an_accent_are_one() -> None:
    assert fold_name("5\u00b5-X") == fold_name("5\u03bc-X")
    assert fold_name("\u00e9x") == fold_name("e\u0301x")


def test_the_user_hears_of_what_was_folded_with_the_rows() -> None:
    assert folding_notes([(2, "a b"), (3, "a  b"), (4, "c")], "compound") == [
        "compound 'a b' is written in 2 ways that differ in blanks or Unicode form (rows 2, 3); they were read as one"
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [("CmpA", "cmpa"), ("Cmp-A", "Cmp\u2013A"), ("5'-X", "5\u2032-X"), ("0042", "42"), ("1", "1.0")],
)
def test_names_that_differ_by_case_or_dash_are_reported_with_both_rows(first: str, second: str) -> None:
    (problem,) = similar_names([(2, first), (3, second), (4, second)], "m.csv", "compound")
    assert (problem.row, problem.field) == (3, "compound")
    assert f"'{second}' and '{first}' in row 2 differ only by" in problem.detail


def test_other_names_are_different() -> None:
    assert not list(similar_names([(2, "A1"), (3, "A 1"), (4, "A-1"), (5, "A11"), (6, "")], "m.csv", "compound"))
