"""What a fitted curve says with what certainty: Emax, area and the curve itself with errors, and the absolute EC50.

Errors of responses follow from the covariance of the parameters by the delta method. On the scale of controls, which
are means of wells themselves, the error of the scale at that response is added (`ScaleError`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from gandl_science.arrays import Float
from gandl_science.dose_response.models import LN10
from gandl_science.dose_response.quantities.stacks import CurveStack, stack_curves
from gandl_science.dose_response.records.fit import SHAPES, CurveFit, LevelCrossing
from gandl_science.dose_response.records.inputs import ResponseScale, ScaleError
from gandl_science.dose_response.records.vocabulary import CurveModel, Relation
from gandl_science.dose_response.verdict.classification import ReportedConcentration
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


def emax_uncertainties(
    summaries: Sequence[CurveSummary], errors: Sequence[ScaleError | None], confidence: float = 0.95
) -> list[Uncertainty | None]:
    """Return the uncertainty of the largest fitted effect at a tested dose of each curve.

    It is None without degrees of freedom. With known controls and the errors of their means, it includes that of the
    scale at this response.
    """
    fits = [summary.fit for summary in summaries]
    best = [summary.concentrations[(summary.direction * summary.fitted).argmax()] for summary in summaries]
    dose, variance = np.array(best)[:, None], np.full(len(fits), np.nan)
    for stack in stack_curves(fits):
        variance[stack.members] = _variance(fits, stack, stack.gradient(dose[stack.members]))[:, 0]
    peaks = [summary.peak for summary in summaries]
    further = [
        _scale_variance(peak, summary.scale, error)
        for peak, summary, error in zip(peaks, summaries, errors, strict=True)
    ]
    return _uncertainties(fits, np.array(peaks), variance + np.array(further), confidence)


def area_uncertainties(
    summaries: Sequence[CurveSummary], errors: Sequence[ScaleError | None], confidence: float = 0.95
) -> list[Uncertainty | None]:
    """Return the uncertainty of the area of each curve, in the unit of the response, or of the span of known controls.

    It is None where there is no area, or no degree of freedom.
    """
    results: list[Uncertainty | None] = [None] * len(summaries)
    areas = {i: area for i, summary in enumerate(summaries) if (area := summary.area()) is not None}
    if not areas:
        return results
    fits, variance = [summaries[i].fit for i in areas], np.full(len(areas), np.nan)
    low, high = np.array([summaries[i].dose_range for i in areas]).T
    x = even_doses(low, high, _AREA_SAMPLES)
    for stack in stack_curves(fits):
        gradient = np.asarray(np.trapezoid(stack.gradient(x[stack.members]), dx=1.0 / (_AREA_SAMPLES - 1), axis=2))
        variance[stack.members] = _variance(fits, stack, gradient[:, :, None])[:, 0]
    for k, (i, area) in enumerate(areas.items()):
        scale = summaries[i].scale
        if scale is not None:
            response = scale.negative + area * scale.span
            variance[k] = (variance[k] + _scale_variance(response, scale, errors[i])) / scale.span**2
    uncertainties = _uncertainties(fits, np.array(list(areas.values())), variance, confidence)
    for i, uncertainty in zip(areas, uncertainties, strict=True):
        results[i] = uncertainty
    return results


def curve_bands(fits: Sequence[CurveFit], concentration: Float, confidence: float = 0.95) -> tuple[Float, Float]:
    """Return the pointwise confidence bands (B, n), (B, n) of curves at concentrations (B, n).

    A curve without an error has a band of NaN. The band is about the curve on the measured scale; it does not hold the
    error of the scale or of a new well.
    """
    low, high = np.full((2, *concentration.shape), np.nan)
    for stack in stack_curves(fits):
        x = concentration[stack.members]
        errors = np.sqrt(_variance(fits, stack, stack.gradient(x)))
        width = _quantiles([fits[i] for i in stack.members], confidence)[:, None] * errors
        # A curve that has no error at one concentration has no band.
        width[~np.isfinite(width).all(axis=1)] = np.nan
        centre = stack.response(x)
        low[stack.members], high[stack.members] = centre - width, centre + width
    return low, high


def parameter_covariances(fits: Sequence[CurveFit]) -> list[ParameterCovariance | None]:
    """Return the covariance of the reported parameters that have a standard error; None without degrees of freedom."""
    results: list[ParameterCovariance | None] = [None] * len(fits)
    for stack in stack_curves(fits):
        factors, names = _factors(stack), _names(stack)
        matrices = _covariances(fits, stack) * factors[:, :, None] * factors[:, None, :]
        is_finite = np.isfinite(np.diagonal(matrices, axis1=1, axis2=2))
        columns = list(range(len(names)))
        for k in np.flatnonzero(is_finite.any(axis=1)).tolist():
            fit = fits[stack.members[k]]
            # A falling Hill curve was solved with its higher plateau on the left.
            is_turned = fit.model is CurveModel.HILL and not fit.rising
            order = [*columns[:-2], columns[-1], columns[-2]] if is_turned else columns
            pairs = [
                (name, i)
                for name, i in zip(names, order, strict=True)
                if is_finite[k, i] and fit.params[name].se is not None
            ]
            own = [i for _, i in pairs]
            results[stack.members[k]] = ParameterCovariance(
                names=tuple(name for name, _ in pairs), matrix=matrices[k][np.ix_(own, own)]
            )
    return results


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


def _covariances(fits: Sequence[CurveFit], stack: CurveStack) -> Float:
    """Return the covariances (N, K, K) of a stack; NaN for parameters at a bound and where there is none."""
    n = len(_names(stack))
    missing = np.full((n, n), np.nan)
    own = [fits[i].covariance for i in stack.members]
    return np.stack([missing if covariance is None else covariance for covariance in own])


def _variance(fits: Sequence[CurveFit], stack: CurveStack, gradient: Float) -> Float:
    """Return the variances (N, n) of linear functions (N, K, n) of the parameters; NaN without degrees of freedom."""
    covariances = _covariances(fits, stack)
    # A parameter at its bound is a constant, so it adds nothing.
    finite = np.where(np.isfinite(covariances), covariances, 0.0)
    variance = np.maximum(((finite @ gradient) * gradient).sum(axis=1), 0.0)
    variance[[fits[i].covariance is None or fits[i].sigma is None for i in stack.members]] = np.nan
    return np.asarray(variance)


def _uncertainties(
    fits: Sequence[CurveFit], estimates: Float, variances: Float, confidence: float
) -> list[Uncertainty | None]:
    se = np.sqrt(variances)
    width = _quantiles(fits, confidence) * se
    columns = (se.tolist(), (estimates - width).tolist(), (estimates + width).tolist())
    return [
        Uncertainty(se=error, low=low, high=high) if math.isfinite(error) else None
        for error, low, high in zip(*columns, strict=True)
    ]


def _quantiles(fits: Sequence[CurveFit], confidence: float) -> Float:
    df = np.array([fit.residual_df for fit in fits])
    return np.asarray(stdtrit(np.maximum(df, 0.5), (1 + confidence) / 2))


def _scale_variance(response: float, scale: ResponseScale | None, error: ScaleError | None) -> float:
    return 0.0 if scale is None or error is None else error.variance_at(response, scale)


def _names(stack: CurveStack) -> tuple[str, ...]:
    """Return the names of the parameters of the covariance as they are reported."""
    return ("level",) if stack.model is CurveModel.CONSTANT else (*SHAPES[stack.model].parameters, "bottom", "top")


def _factors(stack: CurveStack) -> Float:
    """Return the derivatives (N, K) of the reported parameters by the searched ones: d(10^u) = 10^u ln 10 du."""
    factors = np.ones((stack.members.size, len(_names(stack))))
    if stack.model is not CurveModel.CONSTANT:
        is_location = SHAPES[stack.model].is_location
        natural = np.where(is_location, 10.0**stack.theta, np.exp(stack.theta))
        factors[:, : is_location.size] = natural * np.where(is_location, LN10, 1.0)
    return factors


def _finite(value: float | None) -> float | None:
    """Return the value if it is a concentration: None for zero and infinity."""
    return value if value is not None and 0 < value < np.inf else None
