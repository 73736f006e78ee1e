"""From wells to curves: group wells by compound and cell line, fit, correct for many compounds, interpret, and report.

The result is the schema `Curve`, which is the same in stored analyses, on the wire and in the lines of `gandl fit`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from gandl_science.dose_response.families.refit import refit_curves
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import DoseResponseData
from gandl_science.dose_response.significance.false_discovery import q_values
from gandl_science.dose_response.verdict.replication import largest_hit_p
from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.schemas.curve import (
    Curve,
)
from gandl_shared.schemas.vocabulary import EXCLUSION_BY, Role

from gandl_analysis.pipeline.curves.description import CurveTests, curve_without_fit, describe_curves
from gandl_analysis.pipeline.curves.off_axis import OffAxisRule, off_axis_results
from gandl_analysis.pipeline.curves.settings import CurveSettings
from gandl_analysis.pipeline.curves.vehicle import vehicle_wells, with_vehicle
from gandl_analysis.pipeline.curves.weighting import fit_weighted
from gandl_analysis.pipeline.curves.wells import CompoundWells, CurveWell, group_by_compound

if TYPE_CHECKING:
    # `gandl fit` reads no screen, and each schema takes time to build.
    from gandl_shared.schemas.screen import WellScore

_CURVES_PER_SLICE = 512
"""Curves that are described at once: their samples take 4 MB."""


def fit_compounds(
    wells: Sequence[WellScore],
    settings: CurveSettings,
    off_axis: Mapping[str, OffAxisRule],
    undirected: Collection[str] = (),
    *,
    has_vehicle: bool = False,
    efficacies: Mapping[tuple[str, str], float] | None = None,
    weights: Mapping[tuple[str, str], float] | None = None,
) -> list[Curve]:
    """Return one curve per cell line and compound of the treatment wells, in order of first appearance.

    `has_vehicle`: the negative controls of a plate are the zero dose of its compounds. `off_axis` says when the wells
    of a cell line are off the axis (pipeline.axes.off_axis_limit). A well that is `excluded` is shown but not fitted;
    `efficacies` has the efficacies, by plate and well, of those that count nowhere, and `weights` the relative weights
    of all that are fitted, where they do not count alike.
    No curve is fitted in the cell lines `undirected`, whose controls are not separated.
    """
    efficacies, weights = efficacies or {}, weights or {}
    treated = [_curve_well(well, efficacies, weights) for well in wells if well.role is Role.TREATMENT]
    negative = (
        [_curve_well(well, efficacies, weights) for well in wells if well.role is Role.NEGATIVE] if has_vehicle else []
    )
    return fit_wells(treated, settings, off_axis, undirected, vehicle=negative)


def _curve_well(
    well: WellScore, efficacies: Mapping[tuple[str, str], float], weights: Mapping[tuple[str, str], float]
) -> CurveWell:
    return CurveWell(
        compound=well.compound or "unnamed",
        cell_line=well.cell_line,
        concentration=well.concentration_um,
        response=efficacies.get((well.plate, well.well), well.efficacy),
        plate=well.plate,
        well=well.well,
        off_distance=well.off_distance,
        excluded=well.excluded,
        is_empty=_is_excluded_by_images(well) and well.off_distance is not None,
        weight=weights.get((well.plate, well.well)),
        metadata=well.metadata,
    )


def _is_excluded_by_images(well: WellScore) -> bool:
    return well.excluded is not None and not well.excluded.startswith(EXCLUSION_BY)


def fit_wells(
    wells: Sequence[CurveWell],
    settings: CurveSettings,
    off_axis: Mapping[str, OffAxisRule] | None = None,
    undirected: Collection[str] = (),
    *,
    vehicle: Sequence[CurveWell] = (),
) -> list[Curve]:
    """Return one curve per cell line and compound, in order of first appearance, with q-values within a cell line.

    The wells `vehicle` are the zero dose of every compound on their plates. Wells without a finite response or a
    concentration become excluded points. Raises InvalidTable for negative
    concentrations.
    """
    raise_if(_negative_concentrations(wells), InvalidTable, "wells cannot be fitted")
    compounds = with_vehicle(group_by_compound(wells), vehicle_wells(vehicle))
    fittable = [c for c in compounds if c.fitted_wells and c.cell_line not in undirected]
    # One call for all, so that compounds that share their doses are solved together.
    data = [replace(c.data, level_variance=settings.level_variance(c.cell_line)) for c in fittable]
    groups = [compound.cell_line for compound in fittable]
    fits = fit_weighted(data, settings.weighting, lambda each: _fit(each, groups, settings))
    # The onset is needed first, because it decides the verdict.
    deviations = off_axis_results(fittable, off_axis or {}, settings.rules.alpha)
    adjusted = _q_by_cell_line(fittable, [fit.p_value for fit in fits])
    if_equal_scatter = _q_by_cell_line(fittable, [fit.equal_scatter_p for fit in fits])
    cautious = _q_by_cell_line(fittable, [fit.cautious_p for fit in fits])
    largest_p = _largest_p_by_cell_line(fittable, adjusted, settings.rules.alpha)
    tests = [
        CurveTests(*levels, largest_p[compound.cell_line], deviation)
        for compound, levels, deviation in zip(
            fittable, zip(adjusted, if_equal_scatter, cautious, strict=True), deviations, strict=True
        )
    ]
    curves: dict[int, Curve] = {}
    for start in range(0, len(fittable), _CURVES_PER_SLICE):
        part = slice(start, start + _CURVES_PER_SLICE)
        own = describe_curves(fittable[part], fits[part], tests[part], settings)
        curves.update(zip(map(id, fittable[part]), own, strict=True))
    return [
        curves.get(id(compound)) or curve_without_fit(compound, settings, directed=compound.cell_line not in undirected)
        for compound in compounds
    ]


def _fit(data: Sequence[DoseResponseData], groups: Sequence[str], settings: CurveSettings) -> Sequence[CurveFit]:
    options = settings.fit_options
    fits = fit_curves(data, options, np.random.default_rng(settings.seed))
    return refit_curves(data, fits, groups, request=settings.request, options=options)


def _negative_concentrations(wells: Sequence[CurveWell]) -> list[Problem]:
    return [
        Problem(
            f"concentration {well.concentration:g} is negative; give zero or more",
            row=well.table_row,
            field="concentration_um",
        )
        for well in wells
        if well.concentration is not None and well.concentration < 0
    ]


def _q_by_cell_line(compounds: Sequence[CompoundWells], p_values: Sequence[float | None]) -> list[float | None]:
    """Return q-values in order; the family of a compound are all compounds of its cell line."""
    adjusted: list[float | None] = [None] * len(compounds)
    for cell_line in dict.fromkeys(compound.cell_line for compound in compounds):
        members = [i for i, compound in enumerate(compounds) if compound.cell_line == cell_line]
        for i, q_value in zip(members, q_values([p_values[i] for i in members]), strict=True):
            adjusted[i] = q_value
    return adjusted


def _largest_p_by_cell_line(
    compounds: Sequence[CompoundWells], adjusted: Sequence[float | None], alpha: float
) -> dict[str, float]:
    """Return the largest p-value of a hit in each cell line, from the q-values of the compounds."""
    families: dict[str, list[float | None]] = {}
    for compound, q_value in zip(compounds, adjusted, strict=True):
        families.setdefault(compound.cell_line, []).append(q_value)
    return {cell_line: largest_hit_p(family, alpha) for cell_line, family in families.items()}
