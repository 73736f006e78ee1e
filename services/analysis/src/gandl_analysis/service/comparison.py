"""Compare two analyses: of one screen with other parameters or models, or of a screen that was repeated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import StatisticsError, correlation

from gandl_shared.schemas.answers import AnalysisReference, Comparison, CurvePair, WellPair
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import WellScore

from gandl_analysis.pipeline.result import ScreenAnalysis


def compare_analyses(
    first: ScreenAnalysis, second: ScreenAnalysis, *, first_id: AnalysisReference, second_id: AnalysisReference
) -> Comparison:
    """Compare wells of the same plate and name, and curves of the same compound and cell line.

    They come in the order of the first analysis; what is only in the second follows.
    """
    wells = _well_pairs(first.wells, second.wells)
    curves = _curve_pairs(first.curves, second.curves)
    efficacies = [(w.first, w.second) for w in wells if w.first is not None and w.second is not None]
    # A curve that only one analysis has is neither equal nor different.
    verdicts = [pair.verdicts for pair in curves if None not in pair.verdicts]
    return Comparison(
        first=first_id,
        second=second_id,
        n_wells=len(efficacies),
        pearson=_pearson(efficacies),
        largest_difference=max((abs(b - a) for a, b in efficacies), default=None),
        n_curves=len(verdicts),
        same_verdict=sum(a == b for a, b in verdicts),
        wells=tuple(wells),
        curves=tuple(curves),
    )


def _well_pairs(first: Sequence[WellScore], second: Sequence[WellScore]) -> list[WellPair]:
    left = {(w.plate, w.well): w.efficacy for w in first}
    right = {(w.plate, w.well): w.efficacy for w in second}
    return [_well_pair(key, left.get(key), right.get(key)) for key in dict.fromkeys([*left, *right])]


def _well_pair(key: tuple[str, str], a: float | None, b: float | None) -> WellPair:
    difference = None if a is None or b is None else b - a
    return WellPair(plate=key[0], well=key[1], first=a, second=b, difference=difference)


def _curve_pairs(first: Sequence[Curve], second: Sequence[Curve]) -> list[CurvePair]:
    left = {(c.compound, c.cell_line): c for c in first}
    right = {(c.compound, c.cell_line): c for c in second}
    return [_curve_pair(key, left.get(key), right.get(key)) for key in dict.fromkeys([*left, *right])]


def _curve_pair(key: tuple[str, str], a: Curve | None, b: Curve | None) -> CurvePair:
    return CurvePair(
        compound=key[0],
        cell_line=key[1],
        verdicts=(a.verdict if a else None, b.verdict if b else None),
        ec50_um=(a.ec50.value if a else None, b.ec50.value if b else None),
        ec50_relations=(a.ec50.relation if a else None, b.ec50.relation if b else None),
        log2_ec50_ratio=_log2_ratio(a, b),
        emax=(a.emax.fitted if a else None, b.emax.fitted if b else None),
    )


def _log2_ratio(a: Curve | None, b: Curve | None) -> float | None:
    """Return the log2 of the second EC50 over the first, or None unless both are estimates.

    A bound (`<` or `>`) gives no ratio.
    """
    values = [c.ec50.value for c in (a, b) if c is not None and c.ec50.relation == "="]
    if len(values) < 2 or values[0] is None or values[1] is None or min(values[0], values[1]) <= 0:
        return None
    return math.log2(values[1] / values[0])


def _pearson(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return Pearson's correlation, or None for fewer than two wells or if all values of one analysis are equal."""
    try:
        return correlation([a for a, _ in pairs], [b for _, b in pairs])
    except StatisticsError:
        return None
