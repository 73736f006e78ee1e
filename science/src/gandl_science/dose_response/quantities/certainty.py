"""What a fitted curve says with what certainty: Emax, area and the curve itself with errors, and the absolute EC50.

Errors of responses follow from the covariance of the parameters by the delta method. On the scale of controls, which
are means of wells themselves, the error of the scale at that response is added (`ScaleError`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from gandl_science.arrays import Float
from gandl_science.dose_response.models import LN10, log_dose
from gandl_science.dose_response.results import (
    SHAPES,
    CurveFit,
    CurveModel,
    LevelCrossing,
    Relation,
    ResponseScale,
    ScaleError,
)
from gandl_science.dose_response.verdict.interpretation import ReportedConcentration
from gandl_science.dose_response.verdict.summary import CurveSummary, even_doses

_AREA_SAMPLES = 201


@dataclass(frozen=True, kw_only=True)
class Uncertainty:
    """A standard error and the interval of an estimate, by Student's t with the residual degrees of freedom."""

    se: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ParameterCovariance:
    """The covariance (K, K) of the parameters of these names as they are reported: EC50s and slopes, plateaus."""

    names: tuple[str, ...]
    matrix: Float


def emax_uncertainty(summary: CurveSummary, error: ScaleError | None, confidence: float = 0.95) -> Uncertainty | None:
    """Return the uncertainty of the largest fitted effect at a tested dose; None without degrees of freedom.

    With known controls and the `error` of their means, it includes that of the scale at this response.
    """
    if summary.fit.covariance is None:
        return None
    dose = summary.concentrations[[(summary.direction * summary.fitted).argmax()]]
    gradient = _gradient(summary.fit, dose)[0]
    further = _scale_variance(summary.peak, summary.scale, error)
    return _uncertainty(summary.fit, summary.peak, gradient, further, confidence)


def area_uncertainty(summary: CurveSummary, error: ScaleError | None, confidence: float = 0.95) -> Uncertainty | None:
    """Return the uncertainty of the area, in its unit: that of the response, or of the span of known controls."""
    area, (low, high), scale = summary.area(), summary.dose_range, summary.scale
    if area is None or summary.fit.covariance is None:
        return None
    gradients = _gradient(summary.fit, even_doses(low, high, _AREA_SAMPLES))
    gradient = np.asarray(np.trapezoid(gradients, dx=1.0 / (_AREA_SAMPLES - 1), axis=0))
    if scale is None:
        return _uncertainty(summary.fit, area, gradient, 0.0, confidence)
    variance = _scale_variance(scale.negative + area * scale.span, scale, error) / scale.span**2
    return _uncertainty(summary.fit, area, gradient / scale.span, variance, confidence)


def curve_band(fit: CurveFit, concentration: Float, confidence: float = 0.95) -> tuple[Float, Float] | None:
    """Return the pointwise confidence band (n,), (n,) of the curve at concentrations (n,); None without an error.

    The band is about the curve on the measured scale; it does not hold the error of the scale or of a new well.
    """
    if fit.covariance is None:
        return None
    errors = np.sqrt(_variance(fit, _gradient(fit, concentration)))
    if not np.isfinite(errors).all():
        return None
    centre, width = fit.predict(concentration), _quantile(fit, confidence) * errors
    return centre - width, centre + width


def parameter_covariance(fit: CurveFit) -> ParameterCovariance | None:
    """Return the covariance of the reported parameters that are not at a bound; None without degrees of freedom."""
    if fit.covariance is None or not np.isfinite(np.diagonal(fit.covariance)).any():
        return None
    names = ["level"] if fit.model is CurveModel.CONSTANT else [*SHAPES[fit.model].parameters, "bottom", "top"]
    matrix = fit.covariance * np.outer(_factors(fit), _factors(fit))
    if fit.model is CurveModel.HILL and not fit.rising:
        # A falling curve was solved with its higher plateau on the left.
        names[-2:] = names[-1], names[-2]
    order = [i for i in _reported_order(names) if np.isfinite(matrix[i, i])]
    return ParameterCovariance(names=tuple(names[i] for i in order), matrix=matrix[np.ix_(order, order)])


def absolute_ec50(crossing: LevelCrossing | None, dose_range: tuple[float, float]) -> ReportedConcentration:
    """Return the absolute EC50 as it is reported: the estimate within the tested doses, otherwise the certain bound.

    `dose_range` are the lowest and the highest dose above zero. A bound beyond the doses is told as the dose itself,
    because nothing was measured there.
    """
    if crossing is None:
        return ReportedConcentration()
    (lowest, highest), estimate = dose_range, crossing.estimate
    low, high = _finite(crossing.low), _finite(crossing.high)
    is_within = estimate is not None and lowest <= estimate <= highest
    if is_within and low is not None and high is not None:
        return ReportedConcentration(value=estimate, relation=Relation.EQUAL, low=low, high=high)
    is_above = crossing.low is not None and (high is None or (estimate is not None and estimate > highest))
    if is_above and crossing.low is not None and crossing.low >= lowest:
        value = min(crossing.low, highest)
        return ReportedConcentration(value=value, relation=Relation.ABOVE, low=low, high=high)
    is_below = crossing.high is not None and (crossing.low is None or (estimate is not None and estimate < lowest))
    if is_below and crossing.high is not None and crossing.high <= highest:
        value = max(crossing.high, lowest)
        return ReportedConcentration(value=value, relation=Relation.BELOW, low=low, high=high)
    return ReportedConcentration(low=low, high=high)


def _gradient(fit: CurveFit, concentration: Float) -> Float:
    """Return the derivatives (n, K) of the curve at concentrations (n,) by the parameters of its covariance."""
    if fit.model is CurveModel.CONSTANT:
        return np.ones((len(concentration), 1))
    shape, x, (left, right) = SHAPES[fit.model], log_dose(concentration), fit.plateaus
    h = shape.basis(x, fit.theta)
    return np.column_stack([(right - left) * shape.gradient(x, fit.theta).T, 1.0 - h, h])


def _variance(fit: CurveFit, gradient: Float) -> Float:
    """Return the variance of linear functions (..., K) of the parameters; NaN without degrees of freedom."""
    if fit.covariance is None or fit.sigma is None:
        return np.full(gradient.shape[:-1], np.nan)
    # A parameter at its bound is a constant, so it adds nothing.
    covariance = np.where(np.isfinite(fit.covariance), fit.covariance, 0.0)
    return np.asarray(np.maximum(np.einsum("...i,ij,...j->...", gradient, covariance, gradient), 0.0))


def _uncertainty(
    fit: CurveFit, estimate: float, gradient: Float, further: float, confidence: float
) -> Uncertainty | None:
    se = float(np.sqrt(_variance(fit, gradient) + further))
    if not np.isfinite(se):
        return None
    width = _quantile(fit, confidence) * se
    return Uncertainty(se=se, low=estimate - width, high=estimate + width)


def _quantile(fit: CurveFit, confidence: float) -> float:
    return float(stdtrit(max(fit.residual_df, 0.5), (1 + confidence) / 2))


def _scale_variance(response: float, scale: ResponseScale | None, error: ScaleError | None) -> float:
    return 0.0 if scale is None or error is None else error.variance_at(response, scale)


def _factors(fit: CurveFit) -> Float:
    """Return the derivatives (K,) of the reported parameters by the searched ones: d(10^u) = 10^u ln 10 du."""
    if fit.model is CurveModel.CONSTANT:
        return np.ones(1)
    shape = SHAPES[fit.model]
    values = np.array([fit.params[name].estimate for name in shape.parameters])
    return np.concatenate([values * np.where(shape.is_location, LN10, 1.0), np.ones(2)])


def _reported_order(names: list[str]) -> list[int]:
    """Return the indices of the parameters with `bottom` before `top`."""
    order = list(range(len(names)))
    return [*order[:-2], order[-1], order[-2]] if names[-1] == "bottom" else order


def _finite(value: float | None) -> float | None:
    """Return the value if it is a concentration: None for zero and infinity."""
    return value if value is not None and 0 < value < np.inf else None
