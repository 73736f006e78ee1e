"""Texts that a spreadsheet program would run as a formula."""

from __future__ import annotations

import pytest
from gandl_shared.files.formulas import neutral_text, plain_text


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://example.org")',
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "''=1+1",
        "'=1",
    ],
)
def test_a_formula_becomes_a_text_and_comes_back(text: str) -> None:
    assert neutral_text(text) == f"'{text}"
    assert plain_text(neutral_text(text)) == text


@pytest.mark.parametrize("text", ["", "-", "+", "-1.5", "+3e-7", "-.5", "DMSO", "a=b", "'quoted'", "5'-FU", "'"])
def test_numbers_signs_and_ordinary_texts_stay(text: str) -> None:
    assert neutral_text(text) == text
    assert plain_text(text) == text
