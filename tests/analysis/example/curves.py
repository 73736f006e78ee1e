"""Dose-response curves of the invented screen, read off its compounds instead of fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
from gandl_shared.schemas.curve import (
    Curve,
    CurveDose,
    CurveEmax,
    CurveLocation,
    CurveModel,
    CurveOffAxis,
    CurveOffAxisPoint,
    CurveParameter,
    CurvePoint,
    CurveWindow,
    Relation,
    WindowLimit,
)
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Flag

from tests.analysis.example.compounds import DOSES, ExampleCompound

_METHOD = "profile likelihood, 95 %"


def example_curve(compound: ExampleCompound, cell_line: str, wells: Sequence[WellScore]) -> Curve:
    """Return the curve of a compound over the wells of its cell line."""
    replicates = [w for w in wells if w.compound == compound.name]
    active = compound.verdict.is_active
    grid = np.geomspace(DOSES[0], DOSES[-1], 80)
    means = [fmean(w.efficacy for w in replicates if w.concentration_um == d and w.efficacy is not None) for d in DOSES]
    return Curve(
        compound=compound.name,
        cell_line=cell_line,
        screen="example",
        model=compound.model,
        aicc={
            CurveModel.CONSTANT: 61.2,
            CurveModel.HILL: 12.4 if compound.ec50 else 64.1,
            CurveModel.GAIN_LOSS: 4.2 if compound.loss else None,
        },
        params=_params(compound),
        ec50=_location(compound.ec50, compound.relation),
        loss_ec50=_location(compound.loss, Relation.EQUAL) if compound.loss else None,
        crosses_zero_at=compound.ec50 * 1.1 if compound.ec50 and active else None,
        emax=CurveEmax(
            fitted=max(compound.efficacy(d) for d in DOSES),
            observed=max(means),
            at=DOSES[int(np.argmax(means))],
        ),
        auc=0.5 + fmean(means) / 2,
        p_value=1e-9 if active else 0.41,
        q_value=4e-9 if active else 0.55,
        lack_of_fit_p=0.004 if Flag.LACK_OF_FIT in compound.flags else 0.44,
        n_doses=len(DOSES),
        n_wells=sum(w.efficacy is not None for w in replicates),
        verdict=compound.verdict,
        flags=compound.flags,
        points=tuple(_point(w, number, compound) for number, w in enumerate(replicates)),
        fitted=tuple((float(d), compound.efficacy(float(d))) for d in grid),
        off_axis=_off_axis(compound, replicates),
        doses=tuple(_dose(d, replicates) for d in DOSES),
        window=_window() if compound.loss else None,
    )


def _window() -> CurveWindow:
    return CurveWindow(low=0.22, high=6.25, fold=28.4, relation=Relation.EQUAL, limited_by=WindowLimit.OFF_AXIS)


def _params(compound: ExampleCompound) -> Mapping[str, CurveParameter]:
    if compound.ec50 is None:
        return {"level": CurveParameter(estimate=-0.97, se=0.03, at_bound=False)}
    bound = Flag.SLOPE_AT_BOUND in compound.flags
    params = {
        "ec50": CurveParameter(estimate=compound.ec50, se=compound.ec50 * 0.09, at_bound=False),
        "slope": CurveParameter(estimate=compound.slope, se=None if bound else 0.2, at_bound=bound),
        "bottom": CurveParameter(estimate=-1.0, se=0.04, at_bound=False),
        "top": CurveParameter(estimate=compound.top, se=0.05, at_bound=False),
    }
    if compound.loss:
        params["loss_ec50"] = CurveParameter(estimate=compound.loss, se=1.1, at_bound=False)
        params["loss_slope"] = CurveParameter(estimate=3.0, se=0.6, at_bound=False)
    return params


def _location(value: float | None, relation: Relation) -> CurveLocation:
    if value is None:
        return CurveLocation(value=None, relation=None, low=None, high=None, unit="uM", method=_METHOD)
    bound = {Relation.EQUAL: value, Relation.BELOW: DOSES[0], Relation.ABOVE: DOSES[-1]}[relation]
    low = None if relation is Relation.BELOW else bound / 1.3
    high = None if relation is Relation.ABOVE else bound * 1.35
    return CurveLocation(value=bound, relation=relation, low=low, high=high, unit="uM", method=_METHOD)


def _point(well: WellScore, number: int, compound: ExampleCompound) -> CurvePoint:
    outlier = Flag.OUTLIERS_DOWNWEIGHTED in compound.flags and number == 3
    excluded = "no score: its sites were parked" if well.efficacy is None else None
    weight = 0.0 if excluded else 0.15 if outlier else 1.0
    efficacy = 0.95 if outlier else well.efficacy
    return CurvePoint(
        concentration=well.concentration_um,
        efficacy=efficacy,
        plate=well.plate,
        well=well.well,
        weight=weight,
        excluded=excluded,
    )


def _dose(dose: float, wells: Sequence[WellScore]) -> CurveDose:
    values = [w.efficacy for w in wells if w.concentration_um == dose and w.efficacy is not None]
    half = 1.96 * stdev(values) / math.sqrt(len(values))
    mean = fmean(values)
    return CurveDose(concentration=dose, mean=mean, low=mean - half, high=mean + half, n_wells=len(values))


def _off_axis(compound: ExampleCompound, wells: Sequence[WellScore]) -> CurveOffAxis:
    points = tuple(
        CurveOffAxisPoint(
            concentration=dose,
            distance=fmean(w.off_distance or 0.0 for w in wells if w.concentration_um == dose),
            n_wells=4,
        )
        for dose in DOSES
    )
    return CurveOffAxis(departs_at=compound.off_from, limit=3.4, points=points)
