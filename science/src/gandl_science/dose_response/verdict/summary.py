"""The size and direction of a fitted curve within the tested doses, before any rule judges them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.quantities.stacks import of_equal_length, predict_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import ResponseScale
from gandl_science.dose_response.records.vocabulary import CurveModel

_SAMPLES = 400
_REFINEMENTS = 2
_SINGLE_DOSE_SHARE = 0.25
_SINGLE_DOSE_ERRORS = 4.0


@dataclass(frozen=True, kw_only=True)
class CurveSummary:
    """A fitted curve within the tested doses.

    `concentrations`, `means` and `counts` (D,) are the doses, the means of their wells and the numbers of wells.
    `fitted` (D,) is the curve at the doses; `sample_x` and `sample_y` (400,) are the curve between the lowest and the
    highest dose above zero. `direction` is 1 for a curve that rises (or rises first), -1 for the opposite. `scale` are
    the responses of the controls, None where they are unknown.
    """

    fit: CurveFit
    scale: ResponseScale | None
    direction: float
    concentrations: Float
    means: Float
    counts: Float
    fitted: Float
    sample_x: Float
    sample_y: Float

    @cached_property
    def precision(self) -> Float:
        """The residual variance over the variance of each dose mean (D,): its wells, or the sum of their weights."""
        weights = [dose.weight for dose in self.fit.doses]
        return np.array([n if w is None else w for n, w in zip(self.counts, weights, strict=True)], float)

    @property
    def wanted_direction(self) -> float:
        """The direction from the negative to the positive control; 1 where the controls are unknown."""
        return 1.0 if self.scale is None else float(np.sign(self.scale.span))

    @cached_property
    def dose_range(self) -> tuple[float, float]:
        """The lowest and the highest dose above zero; zero twice if there is none."""
        positive = [dose.concentration for dose in self.fit.doses if dose.concentration > 0]
        return (min(positive), max(positive)) if positive else (0.0, 0.0)

    @cached_property
    def base(self) -> float:
        """The fitted response at the lowest dose."""
        return float(self.fitted[0])

    @cached_property
    def peak(self) -> float:
        """The fitted response at the dose where it is farthest in the direction of the curve."""
        return float(self.fitted[(self.direction * self.fitted).argmax()])

    @property
    def best_dose(self) -> int:
        """The index of the dose whose mean is farthest in the direction of the curve."""
        return int((self.direction * self.means).argmax())

    @cached_property
    def starts_active(self) -> bool:
        """True if the fitted response at the lowest dose is beyond the midpoint by more than two standard errors."""
        if self.scale is None or self.fit.sigma is None:
            return False
        excess = (self.base - self.scale.midpoint) * self.wanted_direction
        return bool(excess > 2 * self.fit.sigma / np.sqrt(self.precision[0]))

    @property
    def always_active(self) -> bool:
        """True if the curve starts active and every dose mean is on the positive control's side of the midpoint."""
        if self.scale is None or not self.starts_active:
            return False
        return bool(((self.means - self.scale.midpoint) * self.wanted_direction > 0).all())

    def is_large(self, min_effect: float) -> bool:
        """True if the change within the doses is at least this share of the span; always where there is no scale."""
        # A constant has no change of its own: the change that it does not describe is that of the dose means.
        is_constant = self.fit.model is CurveModel.CONSTANT
        change = self.means.max() - self.means.min() if is_constant else abs(self.peak - self.base)
        return self.scale is None or bool(change >= min_effect * abs(self.scale.span))

    def covered(self) -> float:
        """Return the share of the way between its plateaus that the curve goes within the tested doses."""
        bottom, top = self.fit.params["bottom"].estimate, self.fit.params["top"].estimate
        # A gain-loss curve always goes from `bottom` toward `top`, a Hill curve along its direction.
        far = top if self.direction > 0 or self.fit.model is CurveModel.GAIN_LOSS else bottom
        start = bottom + top - far
        return float((self.peak - start) / (far - start)) if far != start else 1.0

    def has_single_active_dose(self) -> bool:
        """Return whether exactly one dose differs clearly from the rest."""
        if self.fit.model is CurveModel.CONSTANT:
            error = (self.fit.sigma or 0.0) / np.sqrt(self.precision)
            # Without a curve, a dose stands out against the scatter of its wells, not against an effect.
            apart = np.abs(self.means - np.median(self.means)) > _SINGLE_DOSE_ERRORS * error
            return int(apart.sum()) == 1
        effect = self.peak - self.base
        return effect != 0 and int(((self.means - self.base) / effect > _SINGLE_DOSE_SHARE).sum()) == 1

    def midpoint_crossing(self) -> float | None:
        """Return the lowest tested concentration at which the curve crosses the midpoint; None if unknown or never."""
        if self.scale is None:
            return None
        midpoint = self.scale.midpoint
        above = self.sample_y > midpoint
        # Only the first crossing is reported: a bell has two.
        turns = np.flatnonzero(above[1:] != above[:-1])
        if turns.size == 0:
            return None

        # The sampled curve brackets the first crossing; two finer samples narrow the bracket to a part in 10^7.
        left, right = np.log10(self.sample_x[turns[0] : turns[0] + 2])
        for _ in range(_REFINEMENTS):
            at = np.linspace(left, right, _SAMPLES)
            excess = self.fit.predict(10.0**at) - midpoint
            turn = int((np.sign(excess) != np.sign(excess[0])).argmax())
            left, right = at[turn - 1], at[turn]
        share = excess[turn - 1] / (excess[turn - 1] - excess[turn])
        return float(10.0 ** (left + share * (right - left)))

    def area(self) -> float | None:
        """Return the mean of the curve over log concentration, on a known scale with 0 and 1 for the two controls.

        None with fewer than two doses above zero, because there is no range to integrate over.
        """
        y = self.sample_y
        if y.size < 2:
            return None
        # The trapezoid rule of samples that are even in log dose.
        level = float((y.sum() - (y[0] + y[-1]) / 2) / (y.size - 1))
        return level if self.scale is None else (level - self.scale.negative) / self.scale.span


def summarise_curve(fit: CurveFit, scale: ResponseScale | None) -> CurveSummary:
    """Return the summary of a fit on the scale of the controls, None where they are unknown."""
    return summarise_curves([fit], scale)[0]


def summarise_curves(fits: Sequence[CurveFit], scale: ResponseScale | None) -> list[CurveSummary]:
    """Return the summaries of fits on one scale of the controls, None where they are unknown."""
    concentrations = [np.array([dose.concentration for dose in fit.doses]) for fit in fits]
    fitted: list[Float] = [np.empty(0)] * len(fits)
    for members, doses in of_equal_length(concentrations):
        for i, response in zip(members.tolist(), _predicted(fits, members, doses), strict=True):
            fitted[i] = response
    return [
        CurveSummary(
            fit=fit,
            scale=scale,
            direction=_direction(fit, scale),
            concentrations=concentrations[i],
            means=np.array([dose.mean for dose in fit.doses]),
            counts=np.array([dose.n_wells for dose in fit.doses]),
            fitted=fitted[i],
            sample_x=x,
            sample_y=y,
        )
        for i, (fit, (x, y)) in enumerate(zip(fits, sample_curves(fits, _SAMPLES), strict=True))
    ]


def _predicted(fits: Sequence[CurveFit], members: Index, concentration: Float) -> Float:
    return predict_curves([fits[i] for i in members.tolist()], concentration)


def _direction(fit: CurveFit, scale: ResponseScale | None) -> float:
    """Return 1 for a rising curve, -1 for a falling one; a constant counts as going in the wanted direction."""
    if fit.model is CurveModel.CONSTANT:
        return 1.0 if scale is None else float(np.sign(scale.span))
    if fit.model is CurveModel.GAIN_LOSS:
        return 1.0 if fit.params["top"].estimate >= fit.params["bottom"].estimate else -1.0
    return 1.0 if fit.rising else -1.0


def sample_curve(fit: CurveFit, n: int) -> tuple[Float, Float]:
    """Return the fitted curve at n concentrations over the tested doses above zero, evenly spaced in logarithm."""
    return sample_curves([fit], n)[0]


def sample_curves(fits: Sequence[CurveFit], n: int) -> list[tuple[Float, Float]]:
    """Return each fitted curve at n concentrations over its tested doses above zero, evenly spaced in logarithm.

    A curve with one such dose or none is sampled once, at that dose or at zero.
    """
    positive = [[dose.concentration for dose in fit.doses if dose.concentration > 0] for fit in fits]
    samples: dict[int, tuple[Float, Float]] = {}
    ranges = np.array([i for i, doses in enumerate(positive) if len(doses) > 1], dtype=int)
    points = np.array([i for i, doses in enumerate(positive) if len(doses) < 2], dtype=int)
    if ranges.size:
        low, high = np.array([(positive[i][0], positive[i][-1]) for i in ranges.tolist()]).T
        x = even_doses(low, high, n)
        samples.update(zip(ranges.tolist(), zip(x, _predicted(fits, ranges, x), strict=True), strict=True))
    if points.size:
        x = np.array([positive[i] or [0.0] for i in points.tolist()])
        samples.update(zip(points.tolist(), zip(x, _predicted(fits, points, x), strict=True), strict=True))
    return [samples[i] for i in range(len(fits))]


def even_doses(low: Float, high: Float, n: int) -> Float:
    """Return n concentrations (B, n) from `low` to `high` (B,), evenly spaced in logarithm."""
    ends, code = np.unique(np.column_stack([low, high]), axis=0, return_inverse=True)
    # Compounds that share their doses share these, and to compute them takes longer than a curve at them.
    x = np.geomspace(ends[:, 0], ends[:, 1], n, axis=-1)
    # Rounding must not move the ends beyond the tested doses.
    x[:, 0], x[:, -1] = ends.T
    return np.asarray(x[code.reshape(-1)])
