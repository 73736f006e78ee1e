"""The texts of figures: one line of characters that every document may hold."""

from __future__ import annotations

import subprocess
import sys

import pytest
from gandl_analysis.figures.texts import plain


@pytest.mark.parametrize(
    ("text", "limit", "label"),
    [
        ("a\nb\tc", 60, "a b c"),
        ("x" * 200, 10, "x" * 9 + "…"),
        ("a\x01b", 60, "a\ufffdb"),
        ("a\ud800\uffff", 60, "a\ufffd\ufffd"),
    ],
)
def test_user_text_becomes_one_short_line_of_xml_characters(text: str, limit: int, label: str) -> None:
    assert plain(text, limit) == label


def test_a_command_that_draws_nothing_loads_no_slow_library() -> None:
    """`gandl fit` without plots starts without matplotlib, the reader of workbooks and the distributions of scipy."""
    code = "import sys, gandl.commands.fit; print({'matplotlib', 'openpyxl', 'scipy.stats'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
