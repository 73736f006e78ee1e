"""Relative potencies: every compound of a cell line against a reference, with the test of parallel curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.quantities.parallelism import Parallelism, WellPair, compare_curves
from gandl_shared.errors import BadInput
from gandl_shared.plates.tables.names import fold_name
from gandl_shared.schemas.curve import Curve, CurveChoice, CurveModel, CurvePoint
from gandl_shared.schemas.vocabulary import Verdict

PARALLEL_P = 0.05
"""Below this p-value of the F-test two curves are not parallel, and their potency ratio has no meaning."""
_WITH_CURVE = (Verdict.ACTIVE, Verdict.TOXIC)


@dataclass(frozen=True, kw_only=True)
class PotencyRatio:
    """The potency of a compound relative to the reference: EC50(reference) / EC50(compound) of parallel curves.

    `ratio`, `low` and `high` are None where the curves are not parallel or cannot be compared; `reason` says why.
    """

    cell_line: str
    reference: str
    compound: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    parallel_p: float | None = None
    f: float | None = None
    df: tuple[float, float] | None = None
    reason: str = ""


def reference_name(curves: Sequence[Curve], name: str) -> str:
    """Return the name of the reference as the curves have it. Raises BadInput if no curve has it."""
    if fold_name(name) not in {curve.compound for curve in curves}:
        raise BadInput(f"--reference '{name}': no compound of the table has this name and a curve")
    return fold_name(name)


def potency_ratios(curves: Sequence[Curve], reference: str) -> list[PotencyRatio]:
    """Return the comparison of every other compound with the reference of its cell line, in the order of the curves.

    A cell line without the reference has none.
    """
    references = {curve.cell_line: curve for curve in curves if curve.compound == reference}
    return [
        compare(references[curve.cell_line], curve)
        for curve in curves
        if curve.compound != reference and curve.cell_line in references
    ]


def screen_ratios(choice: CurveChoice, curves: Sequence[Curve]) -> list[PotencyRatio] | None:
    """Return the comparisons with the reference that an analysis asked for; None where it asked for none."""
    if choice.reference is None:
        return None
    return potency_ratios(curves, _reference_of(choice.reference, curves))


def compound_ratios(choice: CurveChoice, curves: Sequence[Curve], compound: str) -> list[PotencyRatio]:
    """Return the comparisons of one compound with the reference of an analysis, one for each cell line of both."""
    if choice.reference is None:
        return []
    reference = _reference_of(choice.reference, curves)
    return potency_ratios([curve for curve in curves if curve.compound in (compound, reference)], reference)


def _reference_of(reference: str, curves: Sequence[Curve]) -> str:
    """Return the name of the reference as the curves have it, or as it is asked for where none has it."""
    name = fold_name(reference)
    return next((curve.compound for curve in curves if fold_name(curve.compound) == name), name)


def compare(reference: Curve, other: Curve) -> PotencyRatio:
    """Return the comparison of two curves; they may also belong to two cell lines or screens."""
    comparison = PotencyRatio(cell_line=other.cell_line, reference=reference.compound, compound=other.compound)
    for curve in (reference, other):
        if curve.model is not CurveModel.HILL or curve.verdict not in _WITH_CURVE:
            reason = f"{curve.compound} has no sigmoid curve ({curve.verdict.label}, model {curve.model})"
            return replace(comparison, reason=reason)
    result = compare_curves(_well_pair(reference, other), _space(reference, other), _start(reference), _start(other))
    if result is None:
        return replace(comparison, reason="there are too few wells to compare two curves")
    return _with_result(comparison, result)


def _with_result(comparison: PotencyRatio, result: Parallelism) -> PotencyRatio:
    tested = replace(comparison, parallel_p=result.p_value, f=result.f, df=result.df)
    if result.p_value < PARALLEL_P:
        reason = (
            f"the curves are not parallel (p = {result.p_value:.2g}): they differ in slope or plateaus, and a potency "
            "ratio has no meaning"
        )
        return replace(tested, reason=reason)
    return replace(tested, ratio=result.ratio, low=result.low, high=result.high)


def _well_pair(reference: Curve, other: Curve) -> WellPair:
    """Return the fitted wells of both curves; vehicle wells that both share occur once."""
    vehicles = [Counter(_key(p) for p in curve.points if p.is_vehicle) for curve in (reference, other)]
    shared = list((vehicles[0] | vehicles[1]).elements()) if all(vehicles) else []
    groups = [_own_points(curve, keep_vehicle=not shared) for curve in (reference, other)]
    points = [*groups[0], *groups[1]]
    plates = [*(point.plate for point in points), *(plate for plate, *_ in shared)]
    # Without a plate for every well it is not known which of them share an error.
    codes = np.unique([str(p) for p in plates], return_inverse=True)[1] if all(plates) else np.zeros(len(plates), int)
    own = len(points)
    return WellPair(
        concentration=np.array([*(p.concentration for p in points), *(0.0 for _ in shared)], float),
        response=np.array([*(p.efficacy for p in points), *(response for _, _, response, _ in shared)], float),
        weight=np.array([*(p.weight for p in points), *(weight for *_, weight in shared)], float),
        is_other=np.arange(own + len(shared)) >= len(groups[0]),
        is_shared=np.arange(own + len(shared)) >= own,
        plate=codes,
    )


def _own_points(curve: Curve, *, keep_vehicle: bool) -> list[CurvePoint]:
    return [p for p in curve.points if p.excluded is None and (keep_vehicle or not p.is_vehicle)]


def _key(point: CurvePoint) -> tuple[str | None, str | None, float | None, float]:
    return point.plate, point.well, point.efficacy, point.weight


def _start(curve: Curve) -> Float:
    """Return log10 EC50 and ln slope of a curve."""
    return np.array([np.log10(curve.params["ec50"].estimate), np.log(curve.params["slope"].estimate)])


def _space(*curves: Curve) -> SearchSpace:
    """Return the search space of all doses of both curves, and a decade beyond."""
    doses = np.array(list(_doses(curves)))
    return SearchSpace(low=float(np.log10(doses.min()) - 1), high=float(np.log10(doses.max()) + 1))


def _doses(curves: Sequence[Curve]) -> Iterator[float]:
    for curve in curves:
        yield from (dose.concentration for dose in curve.doses if dose.concentration > 0)
