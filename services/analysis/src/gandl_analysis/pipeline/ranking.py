"""The ranking of compounds: which ones to look at first, by the one rule that is written here.

Compounds whose verdict is active get a rank within their cell line, because q-values are corrected within a cell line:

1. Active compounds come before biphasic ones.
2. The class of q decides next: up to 0.001, up to 0.01, up to 0.05, above.
3. Emax decides next, in steps of 0.1; higher values come first.
4. The window between EC50 and the first sign of toxicity (or the highest dose where there is none) decides next; wider
   windows come first.
5. Ties are broken by the exact values of q, Emax and EC50, and then by the names.

Rules 2 and 3 use steps because the exact q alone would otherwise decide everything, and q says more about the number of
wells than about the compound. Other compounds have no rank: undetermined, then inactive, and last the toxic ones, which
a score along the efficacy axis alone would rank high.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gandl_shared.schemas.curve import Curve, CurveAssessment
from gandl_shared.schemas.screen import Hit

_Q_CLASSES = (0.001, 0.01, 0.05)


@dataclass(frozen=True)
class RankedCurve:
    """A curve with the rank of its compound within the cell line, which is None for compounds that are not active."""

    rank: int | None
    curve: Curve


def rank_curves(curves: Iterable[Curve]) -> list[RankedCurve]:
    """Return all curves, best first: rank 1 of every cell line, then rank 2, …, then the curves without a rank."""
    counts: dict[str, int] = {}
    ranked = [RankedCurve(_next_rank(curve, counts), curve) for curve in sorted(curves, key=_sort_key)]
    # The sort is stable, so curves of equal rank keep the order of the rule.
    return sorted(ranked, key=lambda entry: math.inf if entry.rank is None else entry.rank)


def with_assessments(hits: Iterable[Hit], assessments: Iterable[CurveAssessment]) -> list[Hit]:
    """Return the hits with what people have set beside their curves. Ranks are those of the computed values."""
    by_curve = {(a.compound, a.cell_line): a for a in assessments}
    return [_assessed(hit, by_curve.get((hit.compound, hit.cell_line))) for hit in hits]


def _assessed(hit: Hit, assessment: CurveAssessment | None) -> Hit:
    if assessment is None:
        return hit
    fields = {
        "assessed_verdict": assessment.verdict,
        "assessed_ec50_um": assessment.ec50_um,
        "assessed_by": assessment.author,
    }
    return hit.model_copy(update=fields)


def rank_compounds(curves: Iterable[Curve]) -> list[Hit]:
    """Return one hit per curve, in the order of `rank_curves`."""
    return [_hit(entry) for entry in rank_curves(curves)]


def _next_rank(curve: Curve, counts: dict[str, int]) -> int | None:
    """Return the next rank of the curve's cell line and count it; return None where the verdict has no rank."""
    if not curve.verdict.is_active:
        return None
    counts[curve.cell_line] = counts.get(curve.cell_line, 0) + 1
    return counts[curve.cell_line]


def _sort_key(curve: Curve) -> tuple[int, int, float, float, float, float, float, str, str]:
    emax, ec50, q = emax_of(curve), curve.ec50.value, 1.0 if curve.q_value is None else curve.q_value
    effect = math.inf if emax is None else -emax
    return (
        curve.verdict.order,
        sum(q > level for level in _Q_CLASSES),
        round(effect, 1),
        -curve.window.fold if curve.window else 0.0,
        q,
        effect,
        math.inf if ec50 is None else ec50,
        curve.compound,
        curve.cell_line,
    )


def emax_of(curve: Curve) -> float | None:
    """Return the largest effect within the tested doses: of the fit, else the best dose mean."""
    return curve.emax.fitted if curve.emax.fitted is not None else curve.emax.observed


def _hit(entry: RankedCurve) -> Hit:
    curve = entry.curve
    return Hit(
        rank=entry.rank,
        compound=curve.compound,
        cell_line=curve.cell_line,
        verdict=curve.verdict,
        ec50_um=curve.ec50.value,
        ec50_relation=curve.ec50.relation,
        emax=emax_of(curve),
        q_value=curve.q_value,
        window_fold=curve.window.fold if curve.window else None,
        window_relation=curve.window.relation if curve.window else None,
        toxic_from_um=_lowest_toxic_dose(curve),
        hit_probability=curve.hit_probability,
        flags=curve.flags,
        metadata=curve.metadata,
    )


def _lowest_toxic_dose(curve: Curve) -> float | None:
    """Return the lowest dose with a sign of toxicity: the cells leave both controls, or half of the effect is lost."""
    loss = curve.loss_ec50
    signs = (curve.off_axis.departs_at, loss.value if loss is not None and loss.relation != ">" else None)
    return min((dose for dose in signs if dose is not None), default=None)
