"""The pages that the benchmarks of training write into."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = {path.name: path.read_text() for path in sorted((ROOT / "benchmarks" / "training").glob("*.py"))}
TABLES = [(script, name) for script, text in SCRIPTS.items() for name in re.findall(r'\.page, "([^"]+)"', text)]


@pytest.mark.parametrize(("script", "name"), TABLES)
def test_every_table_has_its_marks_on_the_page(script: str, name: str) -> None:
    """Else a benchmark measures for an hour and then cannot write."""
    page = (ROOT / "docs" / "training.md").read_text()
    assert f"<!-- {name}: begin -->" in page and f"<!-- {name}: end -->" in page


def test_all_tables_are_written_by_some_script() -> None:
    page = (ROOT / "docs" / "training.md").read_text()
    assert {name for _, name in TABLES} == set(re.findall(r"<!-- (\S+): begin -->", page))
