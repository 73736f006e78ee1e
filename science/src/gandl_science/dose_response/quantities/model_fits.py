"""The model of a curve with all that is computed of it: parameters, errors, intervals, crossing and lack of fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.designs import Design
from gandl_science.dose_response.intervals.locations import ShapeFit, covariances, search_locations, standard_errors
from gandl_science.dose_response.intervals.lockstep import Search, run_together
from gandl_science.dose_response.quantities.crossing import search_crossings
from gandl_science.dose_response.quantities.profiles import search_slopes, slope_indices
from gandl_science.dose_response.records.fit import SHAPES, LevelCrossing, LocationEstimate, ParameterEstimate
from gandl_science.dose_response.records.inputs import CurveOptions
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.significance.f_tests import lack_of_fit_p
from gandl_science.dose_response.solver.polish import Solution


@dataclass(frozen=True, kw_only=True)
class ModelFit:
    """The chosen model of one compound."""

    params: Mapping[str, ParameterEstimate]
    lack_of_fit_p: float | None
    sigma: float | None
    rss: float
    ec50: LocationEstimate | None = None
    loss_ec50: LocationEstimate | None = None
    rising: bool = True
    covariance: Float | None = None
    residual_df: float = 0.0
    slope_intervals: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    crossing: LevelCrossing | None = None


def fit_constants(design: Design, members: Index) -> list[ModelFit]:
    """Return the constant model of these compounds: the mean of their wells."""
    data = design.data.take(members)
    df = data.total_weight - 1
    rss = data.between + data.pure
    # Weights make the degrees of freedom fractional; less than half a degree is none.
    variance = np.where(df > 0.5, rss / np.where(df > 0.5, df, 1.0), np.nan)
    lack = lack_of_fit_p(data, data.between, 1)
    errors = np.sqrt(variance / data.total_weight)
    return [
        ModelFit(
            params={
                "level": ParameterEstimate(estimate=float(data.grand_mean[i]), se=_finite(errors[i]), at_bound=False)
            },
            lack_of_fit_p=_finite(lack[i]),
            sigma=_finite(np.sqrt(variance[i])),
            rss=float(rss[i]),
            covariance=np.array([[errors[i] ** 2]]),
            residual_df=float(df[i]),
        )
        for i in range(members.size)
    ]


@dataclass(frozen=True, kw_only=True)
class ShapeMembers:
    """The compounds `members` (N,) of a design for which a shape was chosen; `best` are the curves of all compounds."""

    design: Design
    best: Solution
    members: Index


def fit_shapes(model: CurveModel, parts: Sequence[ShapeMembers], options: CurveOptions) -> list[list[ModelFit]]:
    """Return the Hill or gain-loss model of the compounds of several designs, with errors, intervals and lack of fit.

    The intervals of all designs are searched together, because a step for many curves takes hardly longer.
    """
    fits = [
        ShapeFit(
            data=part.design.data.take(part.members),
            shape=SHAPES[model],
            space=part.design.space.take(part.members),
            best=part.best.take(part.members),
        )
        for part in parts
    ]
    searches = [_searches(fit, part, options) for fit, part in zip(fits, parts, strict=True)]
    ends = iter(run_together([search for own in searches for search in own], SHAPES[model]))
    return [_model_fits(fit, model, [next(ends) for _ in own]) for fit, own in zip(fits, searches, strict=True)]


def _searches(fit: ShapeFit, part: ShapeMembers, options: CurveOptions) -> list[Search]:
    """Return the searches of all intervals: of locations, of slopes, and of the absolute EC50 if there is one."""
    searches = [search_locations(fit, options.confidence), search_slopes(fit, options.confidence)]
    if options.level is not None:
        direction = None if options.scale is None else float(np.sign(options.scale.span))
        variance = part.design.level_variance[part.members]
        searches.append(
            search_crossings(fit, options.level, variance, direction=direction, confidence=options.confidence)
        )
    return searches


def _model_fits(fit: ShapeFit, model: CurveModel, results: Sequence[tuple[Float, ...]]) -> list[ModelFit]:
    """Return the model of each curve of a fit, from the results of its searches."""
    ends, slope_ends, *crossing_ends = results
    shape, count = fit.shape, len(fit.rss)
    locations = [_locations(fit, k, [end[:, i] for end in ends]) for i, k in enumerate(shape.locations)]
    params, sigma, rss = _parameters(fit, model), np.sqrt(fit.variance), fit.rss
    lack = lack_of_fit_p(fit.data, fit.best.misfit, shape.n_parameters)
    covariance, slopes = covariances(fit), _slope_intervals(fit, *slope_ends)
    crossings = _crossings(crossing_ends[0]) if crossing_ends else [None] * count
    return [
        ModelFit(
            params=params[i],
            lack_of_fit_p=_finite(lack[i]),
            sigma=_finite(sigma[i]),
            rss=float(rss[i]),
            ec50=locations[0][i],
            loss_ec50=locations[1][i] if len(locations) > 1 else None,
            rising=bool(fit.best.top[i] >= fit.best.bottom[i]),
            covariance=covariance[i],
            residual_df=float(fit.residual_df[i]),
            slope_intervals=slopes[i],
            crossing=crossings[i],
        )
        for i in range(count)
    ]


def _locations(fit: ShapeFit, location: int, ends: Sequence[Float]) -> list[LocationEstimate]:
    """Return the estimates of theta[location] as concentrations.

    `ends` are those of their intervals and their sure bounds: four of (B,).
    """
    names = ("low", "high", "above", "below")
    return [
        LocationEstimate(
            estimate=float(value), **{name: _finite(10.0**end) for name, end in zip(names, row, strict=True)}
        )
        for value, *row in zip(fit.natural_theta[:, location], *ends, strict=True)
    ]


def _slope_intervals(fit: ShapeFit, low: Float, high: Float) -> list[dict[str, tuple[float | None, float | None]]]:
    """Return the profile intervals (B, K), (B, K) of the slopes of each curve, by name."""
    names = [fit.shape.parameters[index] for index in slope_indices(fit.shape)]
    return [
        {name: (_finite(a), _finite(b)) for name, a, b in zip(names, *ends, strict=True)}
        for ends in zip(low, high, strict=True)
    ]


def _crossings(ends: Sequence[Float]) -> list[LevelCrossing | None]:
    """Return where each curve reaches the level of the absolute EC50, as concentrations."""
    with np.errstate(over="ignore"):
        columns = [_numbers(10.0**values) for values in ends]
    return [LevelCrossing(estimate=e, low=a, high=b) for e, a, b in zip(*columns, strict=True)]


def _numbers(values: Float) -> list[float | None]:
    """Return the values; None for NaN."""
    return [None if np.isnan(value) else float(value) for value in values]


def _parameters(fit: ShapeFit, model: CurveModel) -> list[dict[str, ParameterEstimate]]:
    """Return the parameters by name. `bottom` of a Hill curve is the lower plateau, also where the curve falls."""
    n_theta = fit.shape.n_theta
    values = np.column_stack([fit.natural_theta, fit.best.bottom, fit.best.top])
    errors = standard_errors(fit)
    bounds = np.column_stack([fit.at_bound, np.zeros((len(values), 2), dtype=bool)])
    if model is CurveModel.HILL:
        # A falling curve was solved with its higher plateau on the left.
        falling = values[:, n_theta] > values[:, n_theta + 1]
        for table in (values, errors):
            table[falling, n_theta:] = table[falling, n_theta:][:, ::-1]
    names = (*fit.shape.parameters, "bottom", "top")
    return [
        {
            name: ParameterEstimate(estimate=float(value), se=_finite(error), at_bound=bool(at_bound))
            for name, value, error, at_bound in zip(names, *columns, strict=True)
        }
        for columns in zip(values, errors, bounds, strict=True)
    ]


def _finite(value: float) -> float | None:
    """Return the value as a float; None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None
