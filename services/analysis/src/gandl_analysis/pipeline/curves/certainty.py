"""The certainty of a curve as it is reported: errors, intervals, covariance and band in the schema of a curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.quantities.certainty import (
    ParameterCovariance,
    Uncertainty,
    area_uncertainties,
    curve_bands,
    emax_uncertainties,
    parameter_covariances,
)
from gandl_science.dose_response.quantities.stacks import of_equal_length
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import ScaleError
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


def curve_certainties(
    summaries: Sequence[CurveSummary],
    errors: Sequence[ScaleError | None],
    band_at: Sequence[Float],
    confidence: float,
) -> list[CurveCertainty]:
    """Return the certainty of each fit on the scale of the controls, with its band at the concentrations `band_at`."""
    fits = [summary.fit for summary in summaries]
    columns = zip(
        emax_uncertainties(summaries, errors, confidence),
        area_uncertainties(summaries, errors, confidence),
        parameter_covariances(fits),
        _bands(fits, band_at, confidence),
        strict=True,
    )
    return [
        CurveCertainty(
            emax=emax,
            area=None if area is None else CurveArea(se=area.se, low=area.low, high=area.high),
            covariance=None if covariance is None else _covariance(covariance),
            band=band,
        )
        for emax, area, covariance, band in columns
    ]


def _bands(
    fits: Sequence[CurveFit], band_at: Sequence[Float], confidence: float
) -> list[tuple[tuple[float, float], ...]]:
    """Return the band of each curve as pairs; it is empty where there is no error."""
    bands: list[tuple[tuple[float, float], ...]] = [()] * len(fits)
    for members, concentration in of_equal_length(band_at):
        low, high = curve_bands([fits[i] for i in members], concentration, confidence)
        ends = zip(members.tolist(), _rounded(low).tolist(), _rounded(high).tolist(), strict=True)
        for i, *pair in ends:
            bands[i] = () if math.isnan(pair[0][0]) else tuple(zip(*pair, strict=True))
    return bands


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


def _covariance(covariance: ParameterCovariance) -> CurveCovariance:
    return CurveCovariance(parameters=covariance.names, matrix=tuple(map(tuple, covariance.matrix.tolist())))


def _rounded(values: Float) -> Float:
    """Return the values (N, n) to the digits of a band."""
    size = np.abs(values)
    digits = _BAND_DIGITS - 1 - np.floor(np.log10(np.where(size > 0, size, 1.0)))
    # Powers of ten above one are exact, and so are the rounded integers: the result is the nearest number.
    up, down = 10.0 ** np.maximum(digits, 0), 10.0 ** np.maximum(-digits, 0)
    return np.asarray(np.rint(values * up / down) / up * down)
