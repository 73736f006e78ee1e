"""F-tests of dose means: the analysis of variance by dose, and the lack of fit of a curve."""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc

from gandl_science.arrays import Float
from gandl_science.dose_response.solver.means import DoseMeans

_ROUNDING = 1e-12


def anova_p(data: DoseMeans) -> Float:
    """Return p (B,) of the one-way analysis of variance of wells by dose; NaN without replicates or with one dose."""
    return _f_tail(data.between, data.n_doses - 1, data.pure, data.total_weight - data.n_doses)


def lack_of_fit_p(data: DoseMeans, misfit: Float, n_parameters: float) -> Float:
    """Return p (B,) of the F-test of the curve against free dose means; NaN without degrees of freedom for it."""
    # Below this share of the variation sums of squares are rounding errors, whose ratio says nothing.
    floor = _ROUNDING * (data.between + data.pure)
    effect, error = (np.where(part > floor, part, 0.0) for part in (misfit, data.pure))
    return _f_tail(effect, data.n_doses - n_parameters, error, data.total_weight - data.n_doses)


def _f_tail(effect: Float, effect_df: float, error: Float, error_df: Float) -> Float:
    """Return P(F > observed): 1 where effect and error are both zero, NaN without degrees of freedom."""
    testable = (error_df > 0.5) & (effect_df > 0)
    nothing = (effect <= 0) & (error <= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (effect / effect_df) / (error / error_df)
    p = fdtrc(max(effect_df, 1), np.where(testable, error_df, 1.0), np.where(nothing | ~testable, 0.0, ratio))
    return np.where(testable, p, np.nan)
