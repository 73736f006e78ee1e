"""Puts the tables of the training benchmarks into a page, between the marks of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def rewrite(page: Path, name: str, lines: Sequence[str]) -> None:
    """Replace what stands in `page` between `<!-- NAME: begin -->` and `<!-- NAME: end -->`, and print it."""
    text = "\n".join(lines).strip()
    print(text, flush=True)
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}", encoding="utf-8")
