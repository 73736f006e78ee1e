"""Tables of results in Markdown, written between two marks of a page of docs/."""

from __future__ import annotations

from pathlib import Path

from scipy.stats import binomtest


def write_between(page: Path, name: str, text: str) -> None:
    """Replace the text between `<!-- name: begin -->` and `<!-- name: end -->`. Raises ValueError without the marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    content = page.read_text(encoding="utf-8")
    if begin not in content or end not in content:
        raise ValueError(f"{page} has no marks {begin} and {end}; add them where the tables belong")
    before, after = content.split(begin)[0], content.split(end)[1]
    page.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")


def row(*cells: object) -> str:
    """Return a line of a Markdown table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def share(hits: int, n: int) -> str:
    """Return count, rate and 95 % interval (Clopper and Pearson 1934): three cells of a table."""
    if n == 0:
        return "none | | "
    low, high = binomtest(hits, n).proportion_ci(0.95)
    return f"{hits} / {n} | {100 * hits / n:.2f} % | {100 * low:.2f} – {100 * high:.2f} %"
