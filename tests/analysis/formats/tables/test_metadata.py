"""Which further columns of a plate map hold numbers."""

from __future__ import annotations

import pytest
from gandl_analysis.formats.tables.metadata import metadata_number, numeric_metadata


@pytest.mark.parametrize(
    ("texts", "is_numeric"),
    [
        (["12", "3.5", None, " ", "-1e-3"], True),
        (["12", "many"], False),
        (["007", "12"], False),
        (["1234567890123456"], False),
        (["nan"], False),
        (["inf"], False),
        ([None, ""], False),
        (["0", "0.50"], True),
        (["=1+1"], False),
    ],
)
def test_a_column_is_numeric_if_no_text_would_change(texts: list[str | None], is_numeric: bool) -> None:
    records = [{"Metadata_cells": text, "efficacy": 1.0} for text in texts]
    expected = {"Metadata_cells"} if is_numeric else set()
    assert numeric_metadata(("efficacy", "Metadata_cells"), records) == expected


def test_an_empty_cell_has_no_number() -> None:
    assert [metadata_number(text) for text in (None, "", " 2.5 ")] == [None, None, 2.5]
