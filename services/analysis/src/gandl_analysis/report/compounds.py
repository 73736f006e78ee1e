"""The table of compounds: one row per compound and cell line, in the order of their rank."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.curve import Curve, CurveLocation, Relation
from gandl_shared.schemas.vocabulary import Verdict

from gandl_analysis.pipeline.ranking import emax_of, rank_curves

MAX_CURVES = 120
"""The most curves that a report draws; browsers open larger files slowly. The table holds all of them."""

_HEADLINE_ORDER = (
    Verdict.ACTIVE,
    Verdict.ACTIVE_BIPHASIC,
    Verdict.TOXIC,
    Verdict.UNDETERMINED,
    Verdict.INACTIVE,
)
_SORT_FACTORS = {Relation.BELOW: 0.999, Relation.EQUAL: 1.0, Relation.ABOVE: 1.001}


@dataclass(frozen=True, kw_only=True)
class PotencyMark:
    """EC50 and interval as percentages of the width of a logarithmic scale over the tested doses. `low` and `high` are
    None on an open side. `is_bound`: only one side is known, so that there is no point to draw."""

    value: float
    low: float | None
    high: float | None
    is_bound: bool


@dataclass(frozen=True, kw_only=True)
class CompoundRow:
    """One compound in one cell line. `key` is its anchor on the page, `sort_ec50` the EC50 that a click on the column
    sorts by, and `is_drawn` is true where the curve has a plot."""

    key: str
    curve: Curve
    potency: PotencyMark | None
    sort_ec50: float | None
    emax: float | None
    is_drawn: bool


@dataclass(frozen=True, kw_only=True)
class CompoundCounts:
    """How many compounds of a screen there are. Each is counted once: as active if it is active in any cell line, else
    as toxic, as undetermined or as inactive, whichever of these comes first for any cell line."""

    active: int
    toxic: int
    undetermined: int
    inactive: int

    @property
    def total(self) -> int:
        """The number of compounds."""
        return self.active + self.toxic + self.undetermined + self.inactive

    @property
    def others(self) -> str:
        """The compounds that are not active, in words; empty where there are none."""
        clauses = (
            (self.toxic, "looks toxic", "look toxic"),
            (self.undetermined, "is undetermined", "are undetermined"),
            (self.inactive, "shows no effect", "show no effect"),
        )
        words = [f"{n} {singular if n == 1 else plural}" for n, singular, plural in clauses if n]
        return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1] if words else ""


def compound_rows(curves: Sequence[Curve], dose_range: tuple[float, float] | None) -> tuple[CompoundRow, ...]:
    """Return the rows by rank, as `GET /screens/{id}/hits` has them; the first MAX_CURVES are drawn."""
    return tuple(
        CompoundRow(
            key=f"curve-{number}",
            curve=ranked.curve,
            potency=_potency_mark(ranked.curve.ec50, dose_range),
            sort_ec50=_sort_value(ranked.curve.ec50),
            emax=emax_of(ranked.curve),
            is_drawn=number < MAX_CURVES,
        )
        for number, ranked in enumerate(rank_curves(curves))
    )


def drawn_curves(curves: Sequence[Curve]) -> tuple[Curve, ...]:
    """Return the curves that a report draws: the first MAX_CURVES by rank."""
    return tuple(ranked.curve for ranked in rank_curves(curves)[:MAX_CURVES])


def count_compounds(curves: Iterable[Curve]) -> CompoundCounts:
    """Count each compound once over all cell lines."""
    verdicts: dict[str, set[Verdict]] = {}
    for curve in curves:
        verdicts.setdefault(curve.compound, set()).add(curve.verdict)
    # A compound that works in one cell line is of interest even if it does nothing in the others.
    counts = Counter(min(of_compound, key=_HEADLINE_ORDER.index) for of_compound in verdicts.values())
    return CompoundCounts(
        active=counts[Verdict.ACTIVE] + counts[Verdict.ACTIVE_BIPHASIC],
        toxic=counts[Verdict.TOXIC],
        undetermined=counts[Verdict.UNDETERMINED],
        inactive=counts[Verdict.INACTIVE],
    )


def dose_range_of(curves: Iterable[Curve]) -> tuple[float, float] | None:
    """Return the lowest and the highest dose of all curves, or None where there are no two doses."""
    doses = [point.concentration for curve in curves for point in curve.points if point.concentration]
    return (min(doses), max(doses)) if doses and min(doses) < max(doses) else None


def _sort_value(ec50: CurveLocation) -> float | None:
    """A bound sorts just beyond its number, which is itself a tested dose."""
    return None if ec50.value is None else ec50.value * _SORT_FACTORS[ec50.relation or Relation.EQUAL]


def _potency_mark(ec50: CurveLocation, dose_range: tuple[float, float] | None) -> PotencyMark | None:
    if ec50.value is None or dose_range is None or ec50.value <= 0:
        return None
    return PotencyMark(
        value=_percent(ec50.value, dose_range),
        low=None if ec50.relation is Relation.BELOW or ec50.low is None else _percent(ec50.low, dose_range),
        high=None if ec50.relation is Relation.ABOVE or ec50.high is None else _percent(ec50.high, dose_range),
        is_bound=ec50.relation is not Relation.EQUAL,
    )


def _percent(value: float, dose_range: tuple[float, float]) -> float:
    """The position on the logarithmic scale, kept within it."""
    low, high = (math.log(dose) for dose in dose_range)
    # An interval may reach beyond the tested doses; the bar ends at the edge of the scale.
    position = (math.log(value) - low) / (high - low) if value > 0 else 0.0
    return round(100 * min(max(position, 0.0), 1.0), 1)
