"""The activity test of one design (doses and wells per dose): is there a dose effect?

The F of a Hill curve against a constant does not have the F distribution, because EC50 and slope do not exist under the
null hypothesis (Davies 1977, 1987). So the null is simulated for the design. Under normal errors the direction of the
data is uniform on a sphere, and the tail is that of the tube formula. From p = 0.1 down it agrees with simulation to
the error of the simulation, so that small p-values do not need 10^12 simulated curves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gandl_science.arrays import Float
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.significance.f_tests import anova_p
from gandl_science.dose_response.significance.null import ActivityNull, FlatWells, activity_null, ranks, share_p
from gandl_science.dose_response.significance.shares import grid_points
from gandl_science.dose_response.solver.grids import SpacingBatch, spacing_batches
from gandl_science.dose_response.solver.means import DoseMeans

_JOINT_TAIL = 0.02
"""The smaller of two p-values below which its null is extrapolated: too few simulated curves are beyond it."""
_CLEAR_P = (0.001, 0.15)
"""Outside these limits, few simulated curves say enough of p."""
_EXACT_P, _FLOOR_P = 0.3, 0.4
"""Below the first p-value the precise null is exact. It leaves out simulated curves whose share of few simulated ones
is more common than the second."""
FEW_SIMULATIONS = 1000
_POINTS_PER_BATCH = 6400
"""Grid points of the nulls that are simulated at once, for about thirty designs."""
_PRECISE_DESIGNS = 8
"""Designs that are compared with many simulated curves at once: more do not fit into the cache of a core."""


@dataclass(frozen=True, kw_only=True)
class ActivityP:
    """The p-values (B,) of a dose effect: `p` of the activity test, `hill` of its Hill part alone."""

    p: Float
    hill: Float


@dataclass(frozen=True, kw_only=True)
class NullSimulations:
    """Simulated wells of one pattern of counts: `few` for every design, and `many`, drawn where they are needed."""

    few: FlatWells
    draw_many: Callable[[], FlatWells]

    @cached_property
    def many(self) -> FlatWells:
        """The wells of the precise null."""
        return self.draw_many()

    def test(self, batch: SpacingBatch, data: DoseMeans, misfit: Float) -> tuple[ActivityP, ActivityNull]:
        """Return the p-values (S * M,) of the curves of a batch, whose spacings have equal grids, and their nulls.

        Few simulated curves show that p is above 0.15. They also suffice below 0.001, where p is that of the tube
        formula but for a factor of nearly 2. The others are compared with many. This depends on no other curve.
        """
        null = activity_null(batch.x, self.few, batch.space)
        result = activity_p(null, data, misfit)
        close = ((result.p > _CLEAR_P[0]) & (result.p < _CLEAR_P[1])).reshape(batch.members.shape)
        designs = np.flatnonzero(close.any(axis=1))
        if designs.size == 0 or len(self.many.by_dose) <= len(self.few.by_dose):
            return result, null
        curves = np.arange(batch.n_curves).reshape(close.shape)
        for start in range(0, designs.size, _PRECISE_DESIGNS):
            part = designs[start : start + _PRECISE_DESIGNS]
            own, is_close = curves[part].ravel(), close[part].ravel()
            precise = self._precise(batch.take(part), data.take(own), misfit[own], null.take(part))
            result.p[own[is_close]] = precise.p[is_close]
            # The precise null is not exact for common shares.
            is_exact = is_close & (precise.hill < _EXACT_P)
            result.hill[own[is_exact]] = precise.hill[is_exact]
        return result, null

    def _precise(self, batch: SpacingBatch, data: DoseMeans, misfit: Float, null: ActivityNull) -> ActivityP:
        # These p-values are small, so only the far shares of the simulated curves matter.
        floor = null.shares[:, int((1 - _FLOOR_P) * null.shares.shape[1])]
        return activity_p(activity_null(batch.x, self.many, batch.space, null.tail, floor), data, misfit)


def activity_batches(x: Float, space: SearchSpace, n_curves: int) -> list[SpacingBatch]:
    """Return the batches of curves that are tested together; see `spacing_batches`."""
    return spacing_batches(x, space, n_curves, grid_points, max_points=_POINTS_PER_BATCH)


def activity_p(null: ActivityNull, data: DoseMeans, misfit: Float) -> ActivityP:
    """Return the p-value (S * M,) of a dose effect: the smaller p of the Hill test and of anova, calibrated as such.

    The data are M curves for each of the S nulls, in order; `misfit` (S * M,) is that of the best Hill curves. The Hill
    test detects curves of the expected form with few wells, the analysis of variance any other form, such as a bell.
    The price of taking the smaller p is paid: its own null is simulated, and below the simulated range the factor
    approaches Bonferroni's 2. Without replicates only the Hill test is used.
    """
    total = data.between + data.pure
    share = np.where(total > 0, (data.between - misfit) / np.where(total > 0, total, 1.0), 0.0)
    hill = share_p(null, _for_full_weight(share, data.total_weight, null.n_wells))
    by_dose = anova_p(data)
    if null.smaller_p.shape[1] == 0:
        return ActivityP(p=hill, hill=hill.copy())
    joint = np.where(np.isfinite(by_dose), _joint_p(null.smaller_p, np.fmin(hill, by_dose)), hill)
    return ActivityP(p=joint, hill=hill)


def _for_full_weight(share: Float, weight: Float, n_wells: int) -> Float:
    """Return the share that has the same F with every well at full weight; downweighted wells leave fewer degrees."""
    # F is the odds of the share times the degrees of freedom, n - 4 for a Hill curve.
    odds = share / np.maximum(1.0 - share, 1e-300) * np.maximum(weight - 4.0, 0.0) / max(n_wells - 4.0, 1e-300)
    return np.asarray(odds / (1.0 + odds))


def _joint_p(smaller_p: Float, p: Float) -> Float:
    """Return P (S * M,) that the smaller of two p-values is at most p, from its simulated nulls (S, N), ascending."""
    size, own = smaller_p.shape[1], p.reshape(len(smaller_p), -1)
    counted = (ranks(smaller_p, own, side="right") + 1.0) / (size + 1.0)
    edge = np.full((len(smaller_p), 1), _JOINT_TAIL)
    # Beyond the simulated range the factor rises from its value at the edge to Bonferroni's 2.
    factor = np.minimum(2.0, (ranks(smaller_p, edge, side="right") + 1.0) / (size + 1.0) / _JOINT_TAIL)
    low = own * (factor + (2.0 - factor) * (1.0 - own / _JOINT_TAIL))
    return np.asarray(np.where(own < _JOINT_TAIL, low, np.maximum(counted, _JOINT_TAIL * factor)).reshape(-1))
