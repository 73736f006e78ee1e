"""The pages that the benchmarks of training write into."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", sorted(p.name for p in (ROOT / "benchmarks").glob("training_*.py")))
def test_every_table_has_its_place(script: str) -> None:
    """Else a benchmark measures for an hour and then cannot write."""
    page = (ROOT / "docs" / "training.md").read_text()
    for name in re.findall(r'write_between\(given\.page, "([^"]+)"', (ROOT / "benchmarks" / script).read_text()):
        assert f"<!-- {name}: begin -->" in page and f"<!-- {name}: end -->" in page, name
