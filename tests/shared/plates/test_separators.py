"""Which character separates the cells of a table."""

from __future__ import annotations

import pytest
from gandl_shared.plates.separators import separator_of


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("plate,well;role,x", ","),
        ("plate;well;role\n1,5;2,5;3,5", ";"),  # decimal commas in the rows below do not count
        ("plate\twell", "\t"),
        ("\n\nplate;well", ";"),
        ("plate", ","),
        ("", ","),
    ],
)
def test_the_most_frequent_separator_of_the_first_line(text: str, separator: str) -> None:
    assert separator_of(text) == separator
