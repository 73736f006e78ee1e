"""The result of a curve that a user asks for, from the optimum of scaled responses back in those of the data."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gandl_science.arrays import Float
from gandl_science.dose_response.families.least_squares import CurveOptimum, profile_location
from gandl_science.dose_response.families.shapes import BRAIN_COUSENS, predict_family, stimulation_ratio
from gandl_science.dose_response.families.task import RefitTask
from gandl_science.dose_response.intervals.locations import sure_confidence
from gandl_science.dose_response.records.fit import CurveFit, LocationEstimate, ParameterEstimate, StimulationPeak
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.selection import corrected_aic
from gandl_science.dose_response.significance.f_tests import lack_of_fit_p


@dataclass(frozen=True, kw_only=True)
class ResidualNoise:
    """The residual variance of scaled responses, NaN without degrees of freedom, and these."""

    variance: float
    df: float


def curve_fit(
    task: RefitTask,
    fit: CurveFit,
    optimum: CurveOptimum,
    noise: ResidualNoise,
    *,
    scale: float,
    n_free: float,
    has_aicc: bool,
) -> CurveFit:
    """Return the fit with this curve, whose responses were divided by `scale`, in those of the data.

    `n_free` is the number of its free parameters, with its part of those that it shares. `has_aicc`: it has an AICc of
    its own, which a curve that shares a plateau with others has not.
    """
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
