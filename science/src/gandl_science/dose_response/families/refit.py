"""The curves that a user asks for, in the place of those that the data choose, with their errors and intervals.

The activity test stays that of the free curves: limits are assumptions about the form of an effect and no evidence for
it. A compound whose test shows no effect stays constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gandl_science.arrays import Float
from gandl_science.dose_response.designs import designs
from gandl_science.dose_response.families.least_squares import (
    CurveOptimum,
    CurveProblem,
    profile_location,
    solve_curve,
)
from gandl_science.dose_response.families.request import CurveRequest, ModelRequest, Plateau
from gandl_science.dose_response.families.shapes import (
    BRAIN_COUSENS,
    FIVE_PARAMETER,
    HILL_FAMILY,
    FamilyShape,
    predict_family,
    stimulation_ratio,
)
from gandl_science.dose_response.families.sharing import solve_together
from gandl_science.dose_response.intervals.locations import sure_confidence
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.records.fit import CurveFit, LocationEstimate, ParameterEstimate, StimulationPeak
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.selection import corrected_aic
from gandl_science.dose_response.significance.f_tests import lack_of_fit_p
from gandl_science.dose_response.significance.false_discovery import q_values
from gandl_science.dose_response.solver.means import DoseMeans

_SHAPES = {
    CurveModel.HILL: HILL_FAMILY,
    CurveModel.FIVE_PARAMETER: FIVE_PARAMETER,
    CurveModel.BRAIN_COUSENS: BRAIN_COUSENS,
}
_MODELS = {
    ModelRequest.AUTO: CurveModel.HILL,
    ModelRequest.HILL: CurveModel.HILL,
    ModelRequest.FIVE_PARAMETER: CurveModel.FIVE_PARAMETER,
    ModelRequest.BRAIN_COUSENS: CurveModel.BRAIN_COUSENS,
}
_DIRECTIONS = (1.0, -1.0)


def first_model(request: CurveRequest) -> CurveModel | None:
    """Return the shape that `fit_curves` fits before a request is met; None: the data choose it."""
    if request.model is ModelRequest.GAIN_LOSS:
        return CurveModel.GAIN_LOSS
    return CurveModel.HILL if request.model is ModelRequest.HILL or request.needs_refit else None


def refit_curves(
    datasets: Sequence[DoseResponseData],
    fits: Sequence[CurveFit],
    groups: Sequence[str],
    *,
    request: CurveRequest,
    options: CurveOptions,
) -> tuple[CurveFit, ...]:
    """Return the fits with the curves that the request names; `groups` say which compounds share their plateaus.

    `fits` are those of the same datasets by `fit_curves`. A compound without effect, or one that cannot be tested,
    keeps its fit; where plateaus are shared, one that is not significant among its group (q > alpha) keeps it as well.
    """
    if not request.needs_refit:
        return tuple(fits)
    results = list(fits)
    tasks = _tasks(datasets, fits, request, options)
    if not request.shared:
        for index, task in tasks.items():
            results[index] = _single(task, fits[index])
    for group in dict.fromkeys(groups) if request.shared else ():
        family = [index for index, name in enumerate(groups) if name == group]
        q = dict(zip(family, q_values([fits[index].p_value for index in family]), strict=True))
        # Of many inert compounds some have a small p by chance; they must not move the plateau of the others.
        members = [index for index in tasks if index in q and (q[index] or 0.0) <= options.alpha]
        together = _together([tasks[index] for index in members], [fits[index] for index in members])
        for index, fit in zip(members, together, strict=True):
            results[index] = fit
    return tuple(results)


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One compound that is fitted again: its dose means (one row) and the bounds of its curve."""

    data: DoseMeans
    model: CurveModel
    request: CurveRequest
    space: SearchSpace
    confidence: float

    @property
    def shape(self) -> FamilyShape:
        """The form of the curve."""
        return _SHAPES[self.model]

    @property
    def scale(self) -> float:
        """The spread of the dose means, by which responses are divided while they are fitted."""
        return float(np.ptp(self.data.mean[0])) or 1.0

    @property
    def total_weight(self) -> float:
        """The effective number of wells."""
        return float(self.data.total_weight[0])

    def problem(self, direction: float, scale: float) -> CurveProblem:
        """Return the problem of a rising (1) or falling (-1) curve, in responses divided by `scale`."""
        slope = self.request.slope
        slopes = (self.space.slope_low, self.space.slope_high) if slope is None else (slope.low, slope.high)
        low, high = [float(np.ravel(self.space.low)[0])], [float(np.ravel(self.space.high)[0])]
        low.append(float(np.log(max(slopes[0], self.shape.min_slope))))
        high.append(float(np.log(slopes[1])))
        if self.shape.extra is not None:
            low.append(float(np.log(self.shape.extra_bounds[0])))
            high.append(float(np.log(self.shape.extra_bounds[1])))
        for plateau in Plateau:
            limits = self._plateau_limits(plateau)
            low.append(limits[0] / scale)
            high.append(limits[1] / scale)
        return CurveProblem(
            x=self.data.x[0],
            mean=self.data.mean[0] / scale,
            weight=self.data.weight[0],
            shape=self.shape,
            direction=direction,
            low=np.array(low),
            high=np.array(high),
        )

    def _plateau_limits(self, plateau: Plateau) -> tuple[float, float]:
        """Return the limits of a plateau. A free one stays on its side of the other, where that one is limited."""
        own = self.request.limits_of(plateau)
        other = self.request.limits_of(Plateau.TOP if plateau is Plateau.BOTTOM else Plateau.BOTTOM)
        low, high = (-np.inf, np.inf) if own is None else (own.low, own.high)
        if other is None:
            return low, high
        return (low, min(high, other.high)) if plateau is Plateau.BOTTOM else (max(low, other.low), high)


def _tasks(
    datasets: Sequence[DoseResponseData], fits: Sequence[CurveFit], request: CurveRequest, options: CurveOptions
) -> dict[int, _Task]:
    """Return the compounds that show an effect, by index."""
    tasks = {}
    shows_effect = [_shows_effect(fit, options.alpha) for fit in fits]
    for members, design in designs(datasets, options):
        for row, index in enumerate(members):
            if shows_effect[index]:
                data = design.data.take(np.array([row]))
                tasks[index] = _Task(
                    data=data,
                    model=_MODELS[request.model],
                    request=request,
                    space=design.space.take(np.array([row])),
                    confidence=options.confidence,
                )
    return dict(sorted(tasks.items()))


def _shows_effect(fit: CurveFit, alpha: float) -> bool:
    if fit.p_value is None:
        return False
    return fit.model is not CurveModel.CONSTANT or fit.p_value <= alpha


def _single(task: _Task, fit: CurveFit) -> CurveFit:
    """Return the fit of one compound on its own."""
    best = _best(task, task.scale)
    n_free = int(best.problem.free.sum())
    df = task.total_weight - n_free
    rss = best.problem.misfit(best.vector) + float(task.data.pure[0]) / task.scale**2
    noise = _Noise(variance=rss / df if df > 0.5 else np.nan, df=df)
    return _curve_fit(task, fit, best, noise, scale=task.scale, n_free=float(n_free), has_aicc=True)


def _best(task: _Task, scale: float) -> CurveOptimum:
    """Return the better one of a rising and a falling curve."""
    optima = [solve_curve(task.problem(direction, scale)) for direction in _DIRECTIONS]
    return min(optima, key=lambda optimum: (not optimum.is_upright, optimum.cost))


def _together(tasks: Sequence[_Task], fits: Sequence[CurveFit]) -> list[CurveFit]:
    """Return the fits of compounds that share plateaus, with one residual variance for all."""
    if not tasks:
        return []
    scale = max(task.scale for task in tasks)
    # Each curve keeps the direction that it has on its own.
    problems = [_best(task, scale).problem for task in tasks]
    shared = [index for index, plateau in enumerate(Plateau) if plateau in tasks[0].request.shared]
    joint = solve_together(problems, shared)
    own = [int(problem.free.sum()) - len(shared) for problem in problems]
    df = sum(task.total_weight for task in tasks) - sum(own) - len(shared)
    rss = sum(
        problem.misfit(optimum.vector) + float(task.data.pure[0]) / scale**2
        for problem, optimum, task in zip(problems, joint.optima, tasks, strict=True)
    )
    noise = _Noise(variance=rss / df if df > 0.5 else np.nan, df=df)
    part = len(shared) / len(tasks)
    return [
        _curve_fit(task, fit, optimum, noise, scale=scale, n_free=n + part, has_aicc=False)
        for task, fit, optimum, n in zip(tasks, fits, joint.optima, own, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class _Noise:
    """The residual variance of scaled responses, NaN without degrees of freedom, and these."""

    variance: float
    df: float


def _curve_fit(
    task: _Task,
    fit: CurveFit,
    optimum: CurveOptimum,
    noise: _Noise,
    *,
    scale: float,
    n_free: float,
    has_aicc: bool,
) -> CurveFit:
    """Return the fit with this curve. Its scaled responses become those of the data again."""
    misfit = optimum.problem.misfit(optimum.vector) * scale**2
    row = np.array([misfit])
    params = _parameters(optimum, noise.variance, scale)
    low, high = profile_location(optimum, noise.variance, noise.df, task.confidence)
    above, below = profile_location(optimum, noise.variance, noise.df, sure_confidence(task.confidence))
    aicc: dict[CurveModel, float | None] = {CurveModel.CONSTANT: fit.aicc.get(CurveModel.CONSTANT)}
    aicc[task.model] = _finite(corrected_aic(task.data, row, int(n_free))[0]) if has_aicc else None
    ec50 = params["ec50"].estimate
    return replace(
        fit,
        model=task.model,
        aicc=aicc,
        params=params,
        ec50=LocationEstimate(
            estimate=ec50,
            low=_finite(10.0**low) if low > -np.inf else None,
            high=_finite(10.0**high),
            above=_finite(10.0**above) if above > -np.inf else None,
            below=_finite(10.0**below),
        ),
        loss_ec50=None,
        lack_of_fit_p=_finite(lack_of_fit_p(task.data, row, n_free)[0]),
        sigma=_finite(np.sqrt(noise.variance) * scale),
        rss=misfit + float(task.data.pure[0]),
        rising=optimum.problem.direction > 0,
        stimulation=_stimulation(task.model, params, rising=optimum.problem.direction > 0),
        covariance=_covariance(task.model, optimum, noise.variance, scale),
        residual_df=noise.df,
        # Those of the free curve are not those of this one.
        slope_intervals={},
        crossing=None,
    )


def _covariance(model: CurveModel, optimum: CurveOptimum, variance: float, scale: float) -> Float | None:
    """Return the covariance of the searched parameters, the left and the right plateau of a Hill curve."""
    if model is not CurveModel.HILL:
        return None
    factors = np.array([1.0, 1.0, scale, scale])
    covariance = optimum.covariance(variance) * np.outer(factors, factors)
    # A falling curve has its higher plateau on the left.
    order = [0, 1, 2, 3] if optimum.problem.direction > 0 else [0, 1, 3, 2]
    return np.asarray(covariance[np.ix_(order, order)])


def _parameters(optimum: CurveOptimum, variance: float, scale: float) -> dict[str, ParameterEstimate]:
    """Return the parameters by name, with standard errors by the delta method where they are not theta themselves."""
    shape, vector, covariance = optimum.problem.shape, optimum.vector, optimum.covariance(variance)
    free = optimum.problem.free
    names = ["ec50", "slope", *([shape.extra] if shape.extra else []), "bottom", "top"]
    natural = np.exp(vector)
    natural[0] = 10.0 ** vector[0]
    natural[-2:] = vector[-2:] * scale
    factors = natural.copy()
    factors[0] *= np.log(10.0)
    factors[-2:] = scale
    errors = np.sqrt(np.diag(covariance)) * factors
    params = {
        name: ParameterEstimate(
            estimate=float(natural[k]),
            se=_finite(errors[k]),
            at_bound=bool(optimum.at_bound[k]),
            is_fixed=not bool(free[k]),
        )
        for k, name in enumerate(names)
    }
    if shape is BRAIN_COUSENS:
        params["f"] = _linear_term(optimum, covariance, scale)
    return params


def _linear_term(optimum: CurveOptimum, covariance: Float, scale: float) -> ParameterEstimate:
    """Return Brain and Cousens' f, h (left - right) / EC50, with its standard error by the delta method."""
    vector, direction = optimum.vector, optimum.problem.direction
    amplitude = -direction * (vector[-1] - vector[-2])
    f = float(np.exp(vector[2]) * amplitude / 10.0 ** vector[0])
    gradient = np.array([-np.log(10.0) * f, 0.0, f, direction * f / amplitude, -direction * f / amplitude])
    gradient[-2:] = np.array([1.0, -1.0]) * direction * np.exp(vector[2]) / 10.0 ** vector[0]
    used = optimum.problem.free & (gradient != 0)
    variance = gradient[used] @ covariance[np.ix_(used, used)] @ gradient[used]
    return ParameterEstimate(
        estimate=f * scale, se=_finite(np.sqrt(variance) * scale), at_bound=bool(optimum.at_bound[2]), is_fixed=False
    )


def _stimulation(model: CurveModel, params: dict[str, ParameterEstimate], *, rising: bool) -> StimulationPeak | None:
    """Return the dose and the height of the largest stimulation of a Brain-Cousens curve, None where there is none."""
    if model is not CurveModel.BRAIN_COUSENS:
        return None
    ratio = stimulation_ratio(params["slope"].estimate, params["hormesis"].estimate)
    if ratio is None:
        return None
    at = ratio * params["ec50"].estimate
    values = {name: p.estimate for name, p in params.items()}
    response = predict_family(BRAIN_COUSENS, values, np.array([at]), rising=rising)
    return StimulationPeak(concentration=at, response=float(response[0]))


def _finite(value: float) -> float | None:
    """Return the value as a float; None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None
