"""The certainty of a curve as it is reported: errors, intervals, covariance and band in the schema of a curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.quantities.certainty import (
    Uncertainty,
    area_uncertainty,
    curve_band,
    emax_uncertainty,
    parameter_covariance,
)
from gandl_science.dose_response.results import CurveFit, ScaleError
from gandl_science.dose_response.verdict.summary import CurveSummary
from gandl_shared.schemas.curve import CurveArea, CurveCovariance, CurveParameter

_BAND_DIGITS = 6
"""The significant digits of a stored band, which is drawn and not computed with."""


@dataclass(frozen=True, kw_only=True)
class CurveCertainty:
    """What is known about the errors of one curve; None where there are no degrees of freedom."""

    emax: Uncertainty | None
    area: CurveArea | None
    covariance: CurveCovariance | None
    band: tuple[tuple[float, float], ...]


def curve_certainty(
    summary: CurveSummary, error: ScaleError | None, band_at: Float, confidence: float
) -> CurveCertainty:
    """Return the certainty of a fit on the scale of the controls, with its band at the concentrations `band_at`."""
    fit = summary.fit
    area = area_uncertainty(summary, error, confidence)
    band = curve_band(fit, band_at, confidence)
    return CurveCertainty(
        emax=emax_uncertainty(summary, error, confidence),
        area=None if area is None else CurveArea(se=area.se, low=area.low, high=area.high),
        covariance=_covariance(fit),
        band=() if band is None else tuple(zip(*(_rounded(end).tolist() for end in band), strict=True)),
    )


def curve_parameters(fit: CurveFit) -> dict[str, CurveParameter]:
    """Return the parameters of a fit by name, slopes with their profile intervals."""
    parameters = {}
    for name, parameter in fit.params.items():
        low, high = fit.slope_intervals.get(name, (None, None))
        parameters[name] = CurveParameter(
            estimate=parameter.estimate,
            se=parameter.se,
            at_bound=parameter.at_bound,
            is_fixed=parameter.is_fixed,
            low=low,
            high=high,
        )
    return parameters


def _covariance(fit: CurveFit) -> CurveCovariance | None:
    covariance = parameter_covariance(fit)
    if covariance is None:
        return None
    return CurveCovariance(parameters=covariance.names, matrix=tuple(map(tuple, covariance.matrix.tolist())))


def _rounded(values: Float) -> Float:
    """Return the values (n,) to the digits of a band."""
    size = np.abs(values)
    digits = _BAND_DIGITS - 1 - np.floor(np.log10(np.where(size > 0, size, 1.0)))
    # Powers of ten above one are exact, and so are the rounded integers: the result is the nearest number.
    up, down = 10.0 ** np.maximum(digits, 0), 10.0 ** np.maximum(-digits, 0)
    return np.asarray(np.rint(values * up / down) / up * down)
