"""Whether the wells of compounds are off the axis: distances by dose, a p-value for each, and the onset.

The p-value of a compound is that of its highest dose, and its q-value is adjusted within the cell line (Benjamini and
Hochberg 1995). Lower doses are tested one after the other, from the highest down and at the same level, so that a
compound has no more chances to deviate by having more doses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_science.arrays import Float
from gandl_science.assay.controls.distances import ControlDistances
from gandl_science.dose_response.significance.false_discovery import q_values
from gandl_science.dose_response.verdict.onset import off_axis_onset
from gandl_shared.schemas.curve import CurveOffAxis, CurveOffAxisPoint

from gandl_analysis.pipeline.curves.wells import CompoundWells, CurveWell


@dataclass(frozen=True, kw_only=True)
class OffAxisRule:
    """What the wells of a cell line are compared with: one `limit`, and the distances of its held-out `controls`.

    Without `controls`, as in `gandl fit`, the limit decides alone and there is no p-value.
    """

    limit: float | None = None
    controls: ControlDistances | None = None


NO_RULE = OffAxisRule()


def off_axis_results(
    compounds: Sequence[CompoundWells], rules: Mapping[str, OffAxisRule], alpha: float
) -> list[CurveOffAxis]:
    """Return the result of each compound, in order; a compound deviates if its q-value is at most `alpha`."""
    results = [_measured(compound, rules.get(compound.cell_line, NO_RULE)) for compound in compounds]
    for cell_line in dict.fromkeys(compound.cell_line for compound in compounds):
        members = [i for i, compound in enumerate(compounds) if compound.cell_line == cell_line]
        p_values = [results[i].p_value for i in members]
        adjusted = q_values(p_values)
        # A dose is tested at the level that the largest p-value with such a q-value has.
        pairs = zip(p_values, adjusted, strict=True)
        level = max((p for p, q in pairs if p is not None and q is not None and q <= alpha), default=None)
        for i, q_value in zip(members, adjusted, strict=True):
            if q_value is not None:
                results[i] = results[i].model_copy(update={"q_value": q_value})
            results[i] = _with_onset(results[i], level)
    return results


def _measured(compound: CompoundWells, rule: OffAxisRule) -> CurveOffAxis:
    """Return the distance of each dose with its limit and its p-value."""
    doses: dict[float, list[CurveWell]] = {}
    for well in compound.off_axis_wells:
        if well.concentration is not None and well.off_distance is not None:
            doses.setdefault(well.concentration, []).append(well)
    points = tuple(_point(dose, wells, rule) for dose, wells in sorted(doses.items()))
    return CurveOffAxis(limit=rule.limit, points=points, p_value=points[-1].p_value if points else None)


def _point(dose: float, wells: Sequence[CurveWell], rule: OffAxisRule) -> CurveOffAxisPoint:
    distances = _numbers([well.off_distance for well in wells])
    efficacy = _numbers([well.response for well in wells])
    limit, p_value = rule.limit, None
    if rule.controls is not None:
        limit = rule.controls.limit(efficacy)
        p_value = rule.controls.p_value(distances, efficacy)
    return CurveOffAxisPoint(
        concentration=dose, distance=float(np.mean(distances)), n_wells=len(wells), limit=limit, p_value=p_value
    )


def _with_onset(result: CurveOffAxis, level: float | None) -> CurveOffAxis:
    limits = [point.limit for point in result.points]
    if not limits or None in limits:
        return result
    tested = result.p_value is not None
    onset = off_axis_onset(
        np.array([point.concentration for point in result.points]),
        np.array([point.distance for point in result.points]),
        _numbers(limits),
        _numbers([point.p_value for point in result.points]) if tested else None,
        level,
    )
    return result.model_copy(update={"departs_at": onset})


def _numbers(values: Sequence[float | None]) -> Float:
    return np.array([np.nan if value is None else value for value in values], float)
