"""From the fits and tests of compounds to the schema `Curve`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.quantities.certainty import Uncertainty, absolute_ec50
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.vocabulary import Relation as FittedRelation
from gandl_science.dose_response.verdict.classification import ReportedConcentration, TherapeuticWindow
from gandl_science.dose_response.verdict.interpretation import VERDICTS_WITH_EC50, Interpretation, interpret_curve
from gandl_science.dose_response.verdict.replication import hit_probability
from gandl_science.dose_response.verdict.summary import CurveSummary, sample_curves, summarise_curves
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
from gandl_shared.schemas.vocabulary import Flag, Verdict
from pydantic import TypeAdapter

from gandl_analysis.pipeline.curves.certainty import CurveCertainty, curve_certainties, curve_parameters
from gandl_analysis.pipeline.curves.settings import CurveSettings
from gandl_analysis.pipeline.curves.wells import CompoundWells, CurveWell, finite

_SAMPLES = 81
"""The points of the sampled curve: enough for a smooth line in a figure."""

_POINTS = TypeAdapter(tuple[CurvePoint, ...])
"""All points of a curve are checked in one call, which takes a third of the time of one call for each."""


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


def describe_curves(
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
        hit_probability=hit_probability(
            fit.replications, largest_p, settings.rules, _onset(interpretation, off_axis.departs_at)
        ),
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


def _onset(interpretation: Interpretation, departs_at: float | None) -> float | None:
    """Return from where on new experiments deviate: from the start where no effect was shown to come before."""
    is_first = (
        departs_at is not None
        and Verdict(interpretation.verdict) is Verdict.TOXIC
        and interpretation.ec50.value is None
    )
    return 0.0 if is_first else departs_at


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
                # Both are finite in a well that is fitted.
                "concentration": well.concentration if exclusion is None else finite(well.concentration),
                "efficacy": well.response if exclusion is None else finite(well.response),
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


def curve_without_fit(compound: CompoundWells, settings: CurveSettings, *, directed: bool) -> Curve:
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
