"""The ranking of compounds: which ones to look at first, by one rule that can be read here.

Ranked are compounds whose verdict is active, within a cell line (q-values are corrected within a cell line):

1. plainly active ones before biphasic ones;
2. by the class of q: up to 0.001, up to 0.01, up to 0.05, above;
3. by Emax in steps of 0.1, higher first;
4. by the window between EC50 and the first sign of toxicity (the highest dose where there is none), wider first;
5. by q, Emax, EC50 and name as they are.

Steps in 2 and 3, because to ten digits q alone would decide everything, and it tells more about the number of wells
than about the compound. Everything else has no rank: undetermined, inactive, and last the toxic ones, which a score
along the efficacy axis alone would rank high.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import Hit

RANKED = ("active", "active_biphasic")
_Q_CLASSES = (0.001, 0.01, 0.05)
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


def _key(curve: Curve) -> tuple[int, int, float, float, float, float, float, str, str]:
    emax, ec50, q = _emax(curve), curve.ec50.value, 1.0 if curve.q_value is None else curve.q_value
    effect = math.inf if emax is None else -emax
    return (
        _ORDER[curve.verdict],
        sum(q > level for level in _Q_CLASSES),
        round(effect, 1),
        -curve.window.fold if curve.window else 0.0,
        q,
        effect,
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
        window_fold=curve.window.fold if curve.window else None,
        window_relation=curve.window.relation if curve.window else None,
        toxic_from_um=_toxic_from(curve),
        flags=curve.flags,
    )


def _toxic_from(curve: Curve) -> float | None:
    """The lowest dose with a sign of toxicity: cells leave both controls, or the effect is half lost."""
    loss = curve.loss_ec50
    signs = (curve.off_axis.departs_at, loss.value if loss is not None and loss.relation != ">" else None)
    return min((dose for dose in signs if dose is not None), default=None)
