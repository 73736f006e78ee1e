"""The curves that a user asks for, in the place of those that the data choose, with their errors and intervals.

The activity test stays that of the free curves: limits are assumptions about the form of an effect and no evidence for
it. A compound whose test shows no effect stays constant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gandl_science.dose_response.designs import designs
from gandl_science.dose_response.families.least_squares import CurveOptimum, solve_curve
from gandl_science.dose_response.families.request import CurveRequest, ModelRequest, Plateau
from gandl_science.dose_response.families.result import ResidualNoise, curve_fit
from gandl_science.dose_response.families.sharing import solve_together
from gandl_science.dose_response.families.task import RefitTask
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.significance.false_discovery import q_values

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


def _tasks(
    datasets: Sequence[DoseResponseData], fits: Sequence[CurveFit], request: CurveRequest, options: CurveOptions
) -> dict[int, RefitTask]:
    """Return the compounds that show an effect, by index."""
    tasks = {}
    shows_effect = [_shows_effect(fit, options.alpha) for fit in fits]
    for members, design in designs(datasets, options):
        for row, index in enumerate(members):
            if shows_effect[index]:
                data = design.data.take(np.array([row]))
                tasks[index] = RefitTask(
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


def _single(task: RefitTask, fit: CurveFit) -> CurveFit:
    """Return the fit of one compound on its own."""
    best = _best(task, task.scale)
    n_free = int(best.problem.free.sum())
    df = task.total_weight - n_free
    rss = best.problem.misfit(best.vector) + float(task.data.pure[0]) / task.scale**2
    noise = ResidualNoise(variance=rss / df if df > 0.5 else np.nan, df=df)
    return curve_fit(task, fit, best, noise, scale=task.scale, n_free=float(n_free), has_aicc=True)


def _best(task: RefitTask, scale: float) -> CurveOptimum:
    """Return the better one of a rising and a falling curve."""
    optima = [solve_curve(task.problem(direction, scale)) for direction in _DIRECTIONS]
    return min(optima, key=lambda optimum: (not optimum.is_upright, optimum.cost))


def _together(tasks: Sequence[RefitTask], fits: Sequence[CurveFit]) -> list[CurveFit]:
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
    noise = ResidualNoise(variance=rss / df if df > 0.5 else np.nan, df=df)
    part = len(shared) / len(tasks)
    return [
        curve_fit(task, fit, optimum, noise, scale=scale, n_free=n + part, has_aicc=False)
        for task, fit, optimum, n in zip(tasks, fits, joint.optima, own, strict=True)
    ]
