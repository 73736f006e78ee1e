"""The truth of a simulated screen compared with the curves that an analysis fitted."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.vocabulary import Verdict

FACTOR = 2.0
"""An EC50 within this factor of the truth is right."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One row of `truth.csv`: what a compound does in a cell line. `ec50_um` is None if it never rescues."""

    compound: str
    cell_line: str
    behaviour: str
    ec50_um: float | None
    expected: str


@dataclass(frozen=True)
class Recovery:
    """A truth and the curve that the analysis fitted for it."""

    truth: Truth
    curve: Curve

    @property
    def is_right(self) -> bool:
        """True for an EC50 within a factor of 2 of the truth, and for an inert compound or a toxin that is no hit."""
        if self.truth.ec50_um is None:
            # A toxin may be called inactive too: its cells leave the axis, and efficacy stays where it was.
            no_hit = {Verdict.INACTIVE, Verdict.TOXIC} if self.truth.behaviour == "toxin" else {Verdict.INACTIVE}
            return self.curve.verdict in no_hit
        ec50 = self.curve.ec50
        if ec50.value is None or ec50.relation != "=" or not self.curve.verdict.is_active:
            return False
        return 1 / FACTOR <= ec50.value / self.truth.ec50_um <= FACTOR


def read_truth(path: Path) -> list[Truth]:
    """Return the rows of a simulated screen's `truth.csv`."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Truth(
                compound=row["compound"],
                cell_line=row["cell_line"],
                behaviour=row["behaviour"],
                ec50_um=float(row["ec50_um"]) if row["ec50_um"] else None,
                expected=row["expected_verdict"],
            )
            for row in csv.DictReader(file)
        ]


def compare(truths: Sequence[Truth], curves: Sequence[Curve]) -> list[Recovery]:
    """Return every truth with its curve. Raises KeyError naming compound and cell line where a curve is missing."""
    return [Recovery(truth, curve_of(curves, truth.compound, truth.cell_line)) for truth in truths]


def curve_of(curves: Sequence[Curve], compound: str, cell_line: str) -> Curve:
    """Return the curve of a compound in a cell line. Raises KeyError."""
    for curve in curves:
        if (curve.compound, curve.cell_line) == (compound, cell_line):
            return curve
    raise KeyError(f"{compound} in {cell_line}")
