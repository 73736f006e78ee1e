"""The ranking of compounds: which ones to look at first, by one rule that can be read here.

Ranked are compounds whose verdict is active, within a cell line (q-values are corrected within a cell line): plainly
active ones before biphasic ones, then by q ascending, Emax descending, EC50 ascending, name. Everything else has no
rank: undetermined, inactive, and last the toxic ones, which a score along the efficacy axis alone would rank high.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import Hit

RANKED = ("active", "active_biphasic")
_ORDER = {"active": 0, "active_biphasic": 1, "undetermined": 2, "inactive": 3, "toxic": 4}


@dataclass(frozen=True)
class HitFilter:
    """What to show of a ranking; None shows all. Ranks are given before, so a filter never changes them."""

    cell_line: str | None = None
    verdicts: frozenset[str] | None = None
    max_q: float | None = None
    min_emax: float | None = None

    def shows(self, hit: Hit) -> bool:
        """Whether a hit passes; a missing q or Emax fails its own limit."""
        if self.cell_line is not None and hit.cell_line != self.cell_line:
            return False
        if self.verdicts is not None and hit.verdict not in self.verdicts:
            return False
        if self.max_q is not None and (hit.q_value is None or hit.q_value > self.max_q):
            return False
        return self.min_emax is None or (hit.emax is not None and hit.emax >= self.min_emax)


def rank(curves: Iterable[Curve]) -> list[Hit]:
    """All compounds, best first: rank 1 of every cell line, rank 2 of every cell line, …, then those without a rank."""
    ordered = sorted(curves, key=_key)
    counts: dict[str, int] = {}
    hits = []
    for curve in ordered:
        place = None
        if curve.verdict in RANKED:
            place = counts[curve.cell_line] = counts.get(curve.cell_line, 0) + 1
        hits.append(_hit(curve, place))
    return _interleaved(hits)


def _interleaved(hits: Sequence[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: math.inf if hit.rank is None else hit.rank)


def _key(curve: Curve) -> tuple[int, float, float, float, str, str]:
    emax, ec50 = _emax(curve), curve.ec50.value
    return (
        _ORDER[curve.verdict],
        math.inf if curve.q_value is None else curve.q_value,
        math.inf if emax is None else -emax,
        math.inf if ec50 is None else ec50,
        curve.compound,
        curve.cell_line,
    )


def _emax(curve: Curve) -> float | None:
    return curve.emax.fitted if curve.emax.fitted is not None else curve.emax.observed


def _hit(curve: Curve, place: int | None) -> Hit:
    return Hit(
        rank=place,
        compound=curve.compound,
        cell_line=curve.cell_line,
        verdict=curve.verdict,
        ec50_um=curve.ec50.value,
        ec50_relation=curve.ec50.relation,
        emax=_emax(curve),
        q_value=curve.q_value,
        flags=curve.flags,
    )
