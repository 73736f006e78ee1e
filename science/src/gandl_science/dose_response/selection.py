"""The choice among the models of a curve: AICc, and the activity test where AICc does not exist."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gandl_science.arrays import Float, Mask
from gandl_science.dose_response.designs import Design
from gandl_science.dose_response.models import GAIN_LOSS
from gandl_science.dose_response.results import SHAPES, CurveModel
from gandl_science.dose_response.solver import DoseMeans, Solution

_MIN_LIMB = 0.2
"""The smaller limb of a bell, as a share of the larger one, below which it is a Hill curve with a dent."""


def aicc_table(design: Design, solutions: Mapping[CurveModel, Solution]) -> dict[CurveModel, Float]:
    """Return AICc (B,) of each model; infinite where it does not exist or the design is too small for the model."""
    table = {CurveModel.CONSTANT: corrected_aic(design.data, design.data.between, 1)}
    allowed = {CurveModel.HILL: design.allows_hill, CurveModel.GAIN_LOSS: design.allows_gain_loss}
    for model, solution in solutions.items():
        # All compounds of a design were solved; those with too few wells must not use the result.
        value = corrected_aic(design.data, solution.misfit, SHAPES[model].n_parameters)
        table[model] = np.where(allowed[model], value, np.inf)
    return table


def corrected_aic(data: DoseMeans, misfit: Float, n_parameters: int) -> Float:
    """Return n ln(RSS / n) + 2k + 2k (k + 1) / (n - k - 1), (B,), infinite where it does not exist.

    k counts the residual variance as a parameter (Hurvich and Tsai 1989).
    """
    n, k = data.total_weight, n_parameters + 1
    # An exact fit has an RSS of rounding errors, whose logarithm must not choose the model.
    floor = 1e-14 * (data.between + data.pure) + 1e-300
    spare = n - k - 1
    penalty = 2 * k + 2 * k * (k + 1) / np.where(spare > 0, spare, 1.0)
    return np.where(spare > 0, n * np.log(np.maximum(misfit + data.pure, floor) / n) + penalty, np.inf)


def visible_bells(design: Design, solutions: Mapping[CurveModel, Solution]) -> Mask:
    """Return where (B,) the gain-loss curve shows both limbs within the tested doses.

    The smaller limb must be at least a fifth of the larger one. Otherwise the curve is a Hill curve with a dent, and
    its two EC50s mean nothing.
    """
    if CurveModel.GAIN_LOSS not in solutions:
        return np.zeros(len(design.counts), dtype=bool)
    best = solutions[CurveModel.GAIN_LOSS]
    # A limb is the difference between the peak and the lowest or the highest dose.
    h = GAIN_LOSS.basis(design.data.x, best.theta)
    peak = h.max(axis=1)
    limbs = np.sort(np.stack([peak - h[:, 0], peak - h[:, -1]]), axis=0)
    return np.asarray(limbs[0] >= _MIN_LIMB * limbs[1])


def choose_model(
    aicc: Mapping[CurveModel, float], *, has_bell: bool, p_value: float | None, alpha: float
) -> CurveModel:
    """Return the model of least AICc for one compound; gain-loss only where its bell is visible.

    Where the Hill curve has no AICc (under seven wells) the activity test at the level `alpha` decides.
    """
    if p_value is not None and not np.isfinite(aicc[CurveModel.HILL]):
        return CurveModel.HILL if p_value <= alpha else CurveModel.CONSTANT
    allowed = [model for model in aicc if model is not CurveModel.GAIN_LOSS or has_bell]
    return min(allowed, key=lambda model: aicc[model])
