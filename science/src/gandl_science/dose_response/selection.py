"""The choice of the model of a curve: the activity test decides whether there is an effect, AICc about its form.

AICc by itself would hide effects in small designs: with seven wells its penalty for a Hill curve is so large that a
full curve with p = 1e-6 loses against a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from gandl_science.arrays import Float, Mask
from gandl_science.dose_response.designs import Design
from gandl_science.dose_response.models import GAIN_LOSS, HILL
from gandl_science.dose_response.records.fit import SHAPES
from gandl_science.dose_response.records.inputs import ResponseScale
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.solver.means import DoseMeans
from gandl_science.dose_response.solver.polish import Solution

_MIN_LIMB = 0.2
"""The smaller limb of a bell, as a share of the larger one, below which it is a Hill curve with a dent."""
_MAX_SECOND_LIMB = 2.0
"""The second limb of a bell, as a multiple of the first, above which the first is a bump before the effect."""
_BELL_ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What speaks for each model of one compound.

    `aicc` is infinite where it does not exist. `has_bell` says whether a gain-loss curve may be chosen, and
    `surpasses_hill` whether it fits significantly better than a Hill curve. `p_value` is that of the activity test,
    `hill_p` that of its Hill part alone; None where the design allows no test. `only` is the one shape that the user
    allows.
    """

    aicc: Mapping[CurveModel, float]
    has_bell: bool
    surpasses_hill: bool = False
    p_value: float | None
    hill_p: float | None
    only: CurveModel | None = None


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


def visible_bells(design: Design, solutions: Mapping[CurveModel, Solution], scale: ResponseScale | None = None) -> Mask:
    """Return where (B,) the gain-loss curve shows both limbs within the tested doses, and the first one is the effect.

    The smaller limb must be at least a fifth of the larger one. Otherwise the curve is a Hill curve with a dent, and
    its two EC50s mean nothing. After a bump the other way the second limb is the effect itself, and its EC50 is that of
    a Hill curve. With a `scale` that is so where the second limb is larger than the first and goes toward the positive
    control, or where it is more than twice as large and goes away from it, and the first did not reach the midpoint of
    the controls. Without a scale it is so where the second limb is more than twice as large.
    """
    if CurveModel.GAIN_LOSS not in solutions:
        return np.zeros(len(design.counts), dtype=bool)
    best = solutions[CurveModel.GAIN_LOSS]
    # A limb is the difference between the peak and the lowest or the highest dose.
    h = GAIN_LOSS.basis(design.data.x, best.theta)
    peak = h.max(axis=1)
    first, second = peak - h[:, 0], peak - h[:, -1]
    are_visible = np.minimum(first, second) >= _MIN_LIMB * np.maximum(first, second)
    is_much_larger = second > _MAX_SECOND_LIMB * first
    if scale is None:
        return np.asarray(are_visible & ~is_much_larger)
    amplitude = best.top - best.bottom
    is_toward_positive = -amplitude * scale.span > 0
    stays_below_midpoint = (best.bottom + amplitude * peak - scale.midpoint) * scale.span < 0
    is_bump = np.where(is_toward_positive, second > first, is_much_larger & stays_below_midpoint)
    return np.asarray(are_visible & ~is_bump)


def surpasses_hill(design: Design, solutions: Mapping[CurveModel, Solution]) -> Mask:
    """Return where (B,) the gain-loss curve fits better than the Hill curve by the extra sum of squares, p <= 0.05.

    A Hill curve is a gain-loss curve without a loss, so an F-test compares the two (Bates and Watts 1988). AICc needs
    much more evidence in small designs: with six doses in duplicate on two plates, a 14 times smaller sum of squares.
    """
    if CurveModel.GAIN_LOSS not in solutions:
        return np.zeros(len(design.counts), dtype=bool)
    bell, hill = solutions[CurveModel.GAIN_LOSS].misfit, solutions[CurveModel.HILL].misfit
    extra = GAIN_LOSS.n_parameters - HILL.n_parameters
    spare = design.data.total_weight - GAIN_LOSS.n_parameters
    # An exact curve has a residual of rounding errors.
    residual = np.maximum(bell + design.data.pure, 1e-14 * (design.data.between + design.data.pure) + 1e-300)
    ratio = np.maximum(hill - bell, 0.0) / extra * spare / residual
    testable = spare >= 1
    return np.asarray(
        testable & (fdtrc(extra, np.where(testable, spare, 1.0), np.where(testable, ratio, 0.0)) <= _BELL_ALPHA)
    )


def choose_model(evidence: Evidence, *, alpha: float) -> CurveModel:
    """Return the model of one compound.

    Where the activity test is significant at the level `alpha` there is an effect, and the choice is among the shapes
    only: gain-loss where it surpasses the Hill curve, else Hill if the Hill part of the test is significant too.
    Elsewhere AICc chooses among all models: an effect of another form, which only the analysis of variance sees, need
    not be described by any of them. Gain-loss is chosen only where its bell is visible.
    """
    if evidence.only is not None:
        return _asked_model(evidence, evidence.only, alpha)
    aicc = {model: evidence.aicc.get(model, np.inf) for model in CurveModel}
    has_bell = evidence.has_bell and np.isfinite(aicc[CurveModel.GAIN_LOSS])
    if evidence.p_value is not None and evidence.p_value <= alpha:
        if has_bell and (evidence.surpasses_hill or aicc[CurveModel.GAIN_LOSS] < aicc[CurveModel.HILL]):
            return CurveModel.GAIN_LOSS
        if evidence.hill_p is not None and evidence.hill_p <= alpha:
            return CurveModel.HILL
    if not np.isfinite(aicc[CurveModel.HILL]):
        return CurveModel.CONSTANT
    shapes = [CurveModel.HILL, CurveModel.GAIN_LOSS] if has_bell else [CurveModel.HILL]
    return min([CurveModel.CONSTANT, *shapes], key=lambda model: aicc[model])


def _asked_model(evidence: Evidence, model: CurveModel, alpha: float) -> CurveModel:
    """Return the shape that the user asks for where the activity test sees an effect and the design allows it."""
    significant = evidence.p_value is not None and evidence.p_value <= alpha
    return model if significant and np.isfinite(evidence.aicc.get(model, np.inf)) else CurveModel.CONSTANT
