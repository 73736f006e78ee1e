"""What the simulator put in against what the analysis found."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.schemas.curve import Curve
from rich.console import Console
from rich.table import Table

from gandl.summary import interval, location, of_compound

FACTOR = 2.0
"""An EC50 within this factor of the truth is right."""


@dataclass(frozen=True)
class Truth:
    """One row of `truth.csv`: what a compound does in a cell line. `ec50_um` is None for what never rescues."""

    compound: str
    cell_line: str
    behaviour: str
    ec50_um: float | None
    expected: str


@dataclass(frozen=True)
class Judged:
    """A truth, the curve found for it, and whether they agree."""

    truth: Truth
    curve: Curve

    @property
    def right(self) -> bool:
        """EC50 within a factor of 2 of the truth; an inert compound called inactive, a toxin no hit."""
        if self.truth.ec50_um is None:
            return self.curve.verdict in ({"inactive", "toxic"} if self.truth.behaviour == "toxin" else {"inactive"})
        found = self.curve.ec50
        if found.value is None or found.relation != "=" or not self.curve.verdict.startswith("active"):
            return False
        return 1 / FACTOR <= found.value / self.truth.ec50_um <= FACTOR


def read_truth(path: Path) -> list[Truth]:
    """The rows of a simulated screen's `truth.csv`."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Truth(
                row["compound"],
                row["cell_line"],
                row["behaviour"],
                float(row["ec50_um"]) if row["ec50_um"] else None,
                row["expected_verdict"],
            )
            for row in csv.DictReader(file)
        ]


def judge(truths: Sequence[Truth], curves: Sequence[Curve]) -> list[Judged]:
    """Every truth with its curve. Raises KeyError where a curve is missing."""
    return [Judged(truth, of_compound(curves, truth.compound, truth.cell_line)) for truth in truths]


def print_judged(judged: Sequence[Judged], console: Console | None = None) -> None:
    """The table of the demo and of the benchmarks."""
    table = Table("compound", "cell line", "true EC50", "EC50 found", "95 % interval", "expected", "verdict", "")
    for j in judged:
        t, c = j.truth, j.curve
        true = "" if t.ec50_um is None else f"{t.ec50_um:.3g}"
        row = (t.compound, t.cell_line, true, location(c.ec50), interval(c.ec50), t.expected, c.verdict)
        table.add_row(*row, "[green]✓[/]" if j.right else "[red]✗[/]")
    out = console or Console()
    out.print(table)
    right = sum(j.right for j in judged)
    out.print(f"{right} of {len(judged)} right: EC50 (µM) within a factor of {FACTOR:g}, or rightly no hit")
