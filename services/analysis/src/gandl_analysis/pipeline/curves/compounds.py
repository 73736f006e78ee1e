"""From wells to curves: group wells by compound and cell line, fit, correct for many compounds, interpret, and report.

The result is the schema `Curve`, which is the same in stored analyses, on the wire and in the lines of `gandl fit`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.families.refit import first_model, refit_curves
from gandl_science.dose_response.families.request import CurveRequest
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.quantities.certainty import Uncertainty, absolute_ec50
from gandl_science.dose_response.results import (
    CurveFit,
    CurveOptions,
    DoseResponseData,
    Null,
    ResponseScale,
    ScaleError,
)
from gandl_science.dose_response.results import Relation as FittedRelation
from gandl_science.dose_response.significance.false_discovery import q_values
from gandl_science.dose_response.verdict.interpretation import (
    VERDICTS_WITH_EC50,
    Interpretation,
    InterpretationRules,
    ReportedConcentration,
    TherapeuticWindow,
    interpret_curve,
)
from gandl_science.dose_response.verdict.replication import hit_probability, largest_hit_p
from gandl_science.dose_response.verdict.summary import CurveSummary, sample_curves, summarise_curves
from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.schemas.curve import (
    Curve,
    CurveDose,
    CurveEmax,
    CurveLocation,
    CurveModel,
    CurveOffAxis,
    CurvePoint,
    CurveStimulation,
    CurveWindow,
    Relation,
    WindowLimit,
)
from gandl_shared.schemas.vocabulary import Flag, Role, Verdict
from pydantic import TypeAdapter

from gandl_analysis.pipeline.curves.certainty import CurveCertainty, curve_certainties, curve_parameters
from gandl_analysis.pipeline.curves.off_axis import OffAxisRule, off_axis_results
from gandl_analysis.pipeline.curves.vehicle import vehicle_wells, with_vehicle
from gandl_analysis.pipeline.curves.weighting import Weighting, fit_weighted
from gandl_analysis.pipeline.curves.wells import CompoundWells, CurveWell, finite, group_by_compound

if TYPE_CHECKING:
    # `gandl fit` reads no screen, and each schema takes time to build.
    from gandl_shared.schemas.analysis import NoiseParameters
    from gandl_shared.schemas.screen import WellScore

_SAMPLES = 81
"""The points of the sampled curve: enough for a smooth line in a figure."""

_CURVES_PER_SLICE = 512
"""Curves that are described at once: their samples take 4 MB."""

_POINTS = TypeAdapter(tuple[CurvePoint, ...])
"""All points of a curve are checked in one call, which takes a third of the time of one call for each."""

N_REPLICATIONS = 100
"""The new experiments from which the hit probability is told: its standard error is at most 5 %."""


@dataclass(frozen=True, kw_only=True)
class CurveSettings:
    """How curves are fitted and interpreted.

    `rules.scale` None: the responses of the controls are unknown. `absolute_level` is the response of the absolute
    EC50; None: the midpoint of the controls. `scale_errors` are the errors of the controls by cell line. `unit` is that
    of the concentrations. `seed` decides the simulated null and the bootstrap; nothing else is random.
    """

    options: CurveOptions = field(default_factory=CurveOptions)
    request: CurveRequest = field(default_factory=CurveRequest)
    weighting: Weighting = Weighting.NONE
    rules: InterpretationRules = field(default_factory=InterpretationRules)
    absolute_level: float | None = None
    scale_errors: Mapping[str, ScaleError] = field(default_factory=dict)
    unit: str = "uM"
    screen: str | None = None
    seed: int = 0

    @property
    def fit_options(self) -> CurveOptions:
        """The options of the fit, with the responses of the controls where they are known, and the model asked for."""
        return replace(self.options, scale=self.rules.scale, model=first_model(self.request), level=self.level)

    @property
    def level(self) -> float | None:
        """The response of the absolute EC50; None where none was named and the controls are unknown."""
        scale = self.rules.scale
        midpoint = None if scale is None else scale.midpoint
        return midpoint if self.absolute_level is None else self.absolute_level

    def level_variance(self, cell_line: str) -> float:
        """Return the sampling variance of the level of the absolute EC50 in a cell line."""
        scale, error = self.rules.scale, self.scale_errors.get(cell_line)
        if scale is None or error is None or self.level is None:
            return 0.0
        return error.variance_at(self.level, scale)

    def under_noise(self, noise: NoiseParameters) -> CurveSettings:
        """Return the settings with what is assumed of the noise of wells."""
        options = replace(self.options, null=Null(noise.null), robust=noise.downweight_outliers)
        return replace(self, options=options)

    @property
    def method(self) -> str:
        """The method of the intervals of EC50s, in words."""
        return f"profile likelihood, {100 * self.options.confidence:g} %"


def efficacy_settings(
    *,
    seed: int = 0,
    alpha: float = 0.05,
    screen: str | None = None,
    n_bootstrap: int = 1000,
    n_replications: int = N_REPLICATIONS,
    request: CurveRequest | None = None,
) -> CurveSettings:
    """Return settings for efficacies, where negative controls are at -1 and positive controls at +1."""
    return CurveSettings(
        options=CurveOptions(n_bootstrap=n_bootstrap, n_replications=n_replications),
        request=request or CurveRequest(),
        rules=InterpretationRules(alpha=alpha, scale=ResponseScale()),
        screen=screen,
        seed=seed,
    )


def fit_compounds(
    wells: Sequence[WellScore],
    settings: CurveSettings,
    off_axis: Mapping[str, OffAxisRule],
    undirected: Collection[str] = (),
    *,
    has_vehicle: bool = False,
) -> list[Curve]:
    """Return one curve per cell line and compound of the treatment wells, in order of first appearance.

    `has_vehicle`: the negative controls of a plate are the zero dose of its compounds. `off_axis` says when the wells
    of a cell line are off the axis (pipeline.axes.off_axis_limit). A well that is `excluded` is shown but not fitted.
    No curve is fitted in the cell lines `undirected`, whose controls are not separated.
    """
    treated = [_curve_well(well) for well in wells if well.role is Role.TREATMENT]
    negative = [_curve_well(well) for well in wells if well.role is Role.NEGATIVE] if has_vehicle else []
    return fit_wells(treated, settings, off_axis, undirected, vehicle=negative)


def _curve_well(well: WellScore) -> CurveWell:
    return CurveWell(
        compound=well.compound or "unnamed",
        cell_line=well.cell_line,
        concentration=well.concentration_um,
        response=well.efficacy,
        plate=well.plate,
        well=well.well,
        off_distance=well.off_distance,
        excluded=well.excluded,
        is_empty=well.excluded is not None and well.off_distance is not None,
        metadata=well.metadata,
    )


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
        own = _curves(fittable[part], fits[part], tests[part], settings)
        curves.update(zip(map(id, fittable[part]), own, strict=True))
    return [
        curves.get(id(compound))
        or _curve_without_fit(compound, settings, directed=compound.cell_line not in undirected)
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


class CurveTests(NamedTuple):
    """What was tested of one compound.

    It is the q-value, the one if all doses scattered equally, the one if any dose may have a scatter of its own, the
    largest p-value of a hit in the cell line, and the deviation off the axis.
    """

    q_value: float | None
    equal_scatter_q: float | None
    cautious_q: float | None
    largest_p: float
    off_axis: CurveOffAxis


def _curves(
    compounds: Sequence[CompoundWells], fits: Sequence[CurveFit], tests: Sequence[CurveTests], settings: CurveSettings
) -> list[Curve]:
    """Return the curves of compounds; what is computed of all fits alike is computed of all at once."""
    summaries = summarise_curves(fits, settings.rules.scale)
    samples = sample_curves(fits, _SAMPLES)
    errors = [settings.scale_errors.get(compound.cell_line) for compound in compounds]
    certainties = curve_certainties(summaries, errors, [x for x, _ in samples], settings.options.confidence)
    rows = zip(compounds, summaries, tests, samples, certainties, strict=True)
    return [_curve(*row, settings) for row in rows]


def _curve(
    compound: CompoundWells,
    summary: CurveSummary,
    tests: CurveTests,
    sample: tuple[Float, Float],
    certainty: CurveCertainty,
    settings: CurveSettings,
) -> Curve:
    fit, (x, y) = summary.fit, sample
    q_value, equal_scatter_q, cautious_q, largest_p, off_axis = tests
    interpretation = interpret_curve(
        fit,
        q_value,
        settings.rules,
        off_axis.departs_at,
        summary,
        equal_scatter_q=equal_scatter_q,
        cautious_q=cautious_q,
    )
    loss = interpretation.loss_ec50
    return Curve(
        compound=compound.name,
        cell_line=compound.cell_line,
        screen=settings.screen,
        model=CurveModel(fit.model),
        aicc={CurveModel(model): value for model, value in fit.aicc.items()},
        params=curve_parameters(fit),
        ec50=_location(interpretation.ec50, settings),
        loss_ec50=None if loss is None else _location(loss, settings),
        crosses_zero_at=interpretation.midpoint_crossing,
        emax=_emax(interpretation, certainty.emax),
        auc=interpretation.auc,
        p_value=fit.p_value,
        q_value=q_value,
        hit_probability=hit_probability(fit.replications, largest_p, settings.rules, off_axis.departs_at),
        lack_of_fit_p=fit.lack_of_fit_p,
        n_doses=len(fit.doses),
        n_wells=len(compound.fitted_wells),
        verdict=Verdict(interpretation.verdict),
        flags=(*(Flag(flag) for flag in interpretation.flags), *compound.flags),
        points=_points(compound, fit.weights.tolist(), summary),
        fitted=tuple(zip(x.tolist(), y.tolist(), strict=True)),
        off_axis=off_axis,
        doses=tuple(
            CurveDose(concentration=d.concentration, mean=d.mean, low=d.low, high=d.high, n_wells=d.n_wells)
            for d in fit.doses
        ),
        window=None if interpretation.window is None else _window(interpretation.window),
        stimulation=_stimulation(fit, interpretation.ec50),
        absolute_level=settings.level,
        absolute_ec50=_absolute_ec50(fit, interpretation, settings),
        auc_interval=certainty.area,
        sigma=fit.sigma,
        residual_df=fit.residual_df,
        covariance=certainty.covariance,
        band=certainty.band,
        metadata=compound.metadata,
    )


def _absolute_ec50(fit: CurveFit, interpretation: Interpretation, settings: CurveSettings) -> CurveLocation | None:
    """Return where the curve of a compound that has an EC50 reaches the level; None without a level."""
    if settings.level is None:
        return None
    if interpretation.verdict not in VERDICTS_WITH_EC50:
        return _location(ReportedConcentration(), settings)
    scale = settings.rules.scale
    if fit.crossing is None and scale is not None and settings.level == scale.midpoint:
        # Without a curve there is an EC50 only where every dose is beyond the midpoint.
        return _location(interpretation.ec50, settings)
    positive = [dose.concentration for dose in fit.doses if dose.concentration > 0]
    return _location(absolute_ec50(fit.crossing, (min(positive), max(positive))), settings)


def _emax(interpretation: Interpretation, uncertainty: Uncertainty | None) -> CurveEmax:
    return CurveEmax(
        fitted=interpretation.emax_fitted,
        observed=interpretation.emax_observed,
        at=interpretation.emax_at,
        se=None if uncertainty is None else uncertainty.se,
        low=None if uncertainty is None else uncertainty.low,
        high=None if uncertainty is None else uncertainty.high,
    )


def _location(reported: ReportedConcentration, settings: CurveSettings) -> CurveLocation:
    return CurveLocation(
        value=reported.value,
        relation=None if reported.relation is None else Relation(reported.relation),
        low=reported.low,
        high=reported.high,
        unit=settings.unit,
        method=settings.method,
    )


def _stimulation(fit: CurveFit, ec50: ReportedConcentration) -> CurveStimulation | None:
    """Return the stimulation of a curve that has an effect."""
    if fit.stimulation is None or ec50.relation is None:
        return None
    return CurveStimulation(at=fit.stimulation.concentration, response=fit.stimulation.response)


def _window(window: TherapeuticWindow) -> CurveWindow:
    return CurveWindow(
        low=window.low,
        high=window.high,
        fold=window.high / window.low,
        relation=Relation.ABOVE if window.relation is FittedRelation.ABOVE else Relation.EQUAL,
        limited_by=WindowLimit(window.limited_by),
    )


def _points(compound: CompoundWells, weights: Iterable[float], summary: CurveSummary | None) -> tuple[CurvePoint, ...]:
    """Return all wells of a compound; `weights` are those of the fitted ones, in order."""
    # The fit has a weight per fitted well; excluded wells have none.
    remaining, fitted = iter(weights), {} if summary is None else _fitted(summary, compound.wells)
    return _POINTS.validate_python(
        [
            {
                "concentration": finite(well.concentration),
                "efficacy": finite(well.response),
                "plate": well.plate,
                "well": well.well,
                "weight": next(remaining) if exclusion is None else 0.0,
                "excluded": exclusion,
                "is_vehicle": well.is_vehicle,
                "fitted": fitted.get(well.concentration),
            }
            for well, exclusion in zip(compound.wells, compound.exclusions, strict=True)
        ]
    )


def _fitted(summary: CurveSummary, wells: Iterable[CurveWell]) -> dict[float | None, float]:
    """Return the curve at each finite concentration of the wells."""
    fitted: dict[float | None, float] = dict(zip(summary.concentrations.tolist(), summary.fitted.tolist(), strict=True))
    # All wells of some doses may be excluded.
    further = {w.concentration for w in wells if finite(w.concentration) is not None and w.concentration not in fitted}
    if further:
        doses = list(further)
        fitted |= zip(doses, summary.fit.predict(np.array(doses, float)).tolist(), strict=True)
    return fitted


def _curve_without_fit(compound: CompoundWells, settings: CurveSettings, *, directed: bool) -> Curve:
    """Return the answer for a compound none of whose wells can be fitted, or whose axis has no direction."""
    reason = "no usable wells" if directed else "controls at chance"
    reasons = (Flag.LOW_REPLICATES, Flag.FEW_DOSES) if directed else (Flag.CONTROLS_AT_CHANCE,)
    wells = compound.fitted_wells
    return Curve(
        compound=compound.name,
        cell_line=compound.cell_line,
        screen=settings.screen,
        model=CurveModel.CONSTANT,
        aicc={},
        params={},
        ec50=CurveLocation(value=None, relation=None, low=None, high=None, unit=settings.unit, method=reason),
        loss_ec50=None,
        crosses_zero_at=None,
        emax=CurveEmax(fitted=None, observed=None, at=None),
        auc=None,
        p_value=None,
        q_value=None,
        lack_of_fit_p=None,
        n_doses=len({well.concentration for well in wells}),
        n_wells=len(wells),
        verdict=Verdict.UNDETERMINED,
        flags=(*reasons, *compound.flags),
        points=_points(compound, [0.0] * len(wells), None),
        fitted=(),
        metadata=compound.metadata,
    )
