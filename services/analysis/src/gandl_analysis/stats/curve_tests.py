"""Is there a dose effect at all, and does the chosen curve fit: tests of one design (doses and wells per dose).

The F of a Hill curve against a constant is not F-distributed: EC50 and slope do not exist under the null (Davies 1977).
So its null is simulated for the design. Under normal errors the direction of the data is uniform on a sphere, and the
chance that the best Hill curve explains more than a share r of it has, far out, the form of Weyl's tube formula
(Hotelling 1939; Johansen and Johnstone 1990): a sum of beta tails with non-negative coefficients. These are fitted to
the simulated exceedances, so that small p-values need no 10^12 simulations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.stats import beta
from scipy.stats import f as f_distribution

from gandl_analysis.stats.curve_models import HILL, Floats, SearchSpace
from gandl_analysis.stats.curve_solver import DoseMeans, explained

_TAIL = 0.1
_JOINT = 0.02
_CHUNK = 2000


@dataclass(frozen=True)
class ActivityNull:
    """The null of one design: `grid` (G, D) Hill bases whose best share is the statistic, its simulated sample in
    ascending order, the coefficients of its tail, and the simulated smaller p of the two tests (ascending; empty where
    there is no pure error)."""

    n_wells: int
    n_doses: int
    grid: Floats
    shares: Floats
    tail: Floats
    smaller: Floats


def test_grid(x: Floats, space: SearchSpace) -> Floats:
    """Hill bases (G, D) the test looks over: seven EC50s a decade, six slopes."""
    locations = np.linspace(space.low, space.high, max(15, round(7 * (space.high - space.low)) + 1))
    slopes = np.linspace(*space.slopes, 6)
    theta = np.stack(np.meshgrid(locations, slopes, indexing="ij"), axis=-1).reshape(-1, 2)
    return HILL.basis(x, theta)


def best_share(data: DoseMeans, grid: Floats) -> Floats:
    """Largest share of the variation about the mean that a Hill curve of the grid explains, (B,) in [0, 1]."""
    total = data.between + data.pure
    chunks = [
        explained(data.take(np.arange(i, min(i + _CHUNK, len(total)))), grid).max(axis=1)
        for i in range(0, len(total), _CHUNK)
    ]
    return np.asarray(np.clip(np.concatenate(chunks) / np.where(total > 0, total, 1.0), 0.0, 1.0))


def anova_p(data: DoseMeans) -> Floats | None:
    """One-way analysis of variance of wells by dose, (B,); None without replicates or with a single dose."""
    between_df = data.x.size - 1
    within_df = data.total_weight - data.x.size
    if between_df < 1 or np.any(within_df < 0.5):
        return None
    return _f_tail(data.between, np.full_like(within_df, between_df), data.pure, within_df)


def lack_of_fit_p(data: DoseMeans, misfit: Floats, n_parameters: int) -> Floats | None:
    """F-test of the curve against free dose means, (B,); None where no degrees of freedom are left for it."""
    misfit_df = data.x.size - n_parameters
    within_df = data.total_weight - data.x.size
    if misfit_df < 1 or np.any(within_df < 0.5):
        return None
    return _f_tail(misfit, np.full_like(within_df, misfit_df), data.pure, within_df)


def _f_tail(effect: Floats, effect_df: Floats, error: Floats, error_df: Floats) -> Floats:
    """P(F > observed); 1 where effect and error are both nothing."""
    nothing = (effect <= 0) & (error <= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (effect / effect_df) / (error / error_df)
    return np.asarray(np.where(nothing, 1.0, f_distribution.sf(np.where(nothing, 0.0, ratio), effect_df, error_df)))


def simulate_null(
    x: Floats, counts: Floats, space: SearchSpace, n_simulations: int, rng: np.random.Generator
) -> ActivityNull:
    """The null of a design with wells per dose `counts` (D,), at least five wells, at least four doses."""
    n_wells, n_doses = int(counts.sum()), int(counts.size)
    mean = rng.normal(size=(n_simulations, n_doses)) / np.sqrt(counts)
    spare = n_wells - n_doses
    pure = rng.chisquare(spare, n_simulations) if spare else np.zeros(n_simulations)
    data = DoseMeans(x, np.broadcast_to(counts, mean.shape), mean, pure)
    grid = test_grid(x, space)
    shares = best_share(data, grid)
    null = ActivityNull(n_wells, n_doses, grid, np.sort(shares), _fit_tail(np.sort(shares), n_wells), np.empty(0))
    by_dose = anova_p(data)
    if by_dose is None:
        return null
    smaller = np.sort(np.minimum(share_p(null, shares), by_dose))
    return ActivityNull(n_wells, n_doses, grid, null.shares, null.tail, smaller)


def _tube(share: Floats, n_wells: int) -> Floats:
    """Beta tails of the tube formula for a surface on the sphere of n - 1 dimensions, (N, 3)."""
    orders = np.arange(1, 4)
    return np.asarray(beta.sf(share[:, None], orders / 2, (n_wells - 1 - orders) / 2))


def _fit_tail(shares: Floats, n_wells: int) -> Floats:
    """Coefficients of the tube formula that reproduce the upper tenth of the simulated shares."""
    levels = np.geomspace(5e-3, _TAIL, 24)
    points = np.quantile(shares, 1.0 - levels)
    scale = 1.0 / np.sqrt(levels)
    return np.asarray(nnls(_tube(points, n_wells) * scale[:, None], levels * scale)[0])


def share_p(null: ActivityNull, share: Floats) -> Floats:
    """P of a share at least this large under the null: counted in the bulk, by the tube formula in the tail."""
    size = null.shares.size
    counted = (size - np.searchsorted(null.shares, share, side="left") + 1.0) / (size + 1.0)
    edge = np.quantile(null.shares, 1.0 - _TAIL)
    at_edge = float((_tube(np.array([edge]), null.n_wells) @ null.tail)[0])
    tail = _tube(share, null.n_wells) @ null.tail * (_TAIL / at_edge)
    return np.where(share > edge, np.minimum(tail, _TAIL), np.maximum(counted, _TAIL))


def activity_p(null: ActivityNull, data: DoseMeans) -> Floats:
    """p-value of a dose effect, (B,): the smaller of the Hill test and the analysis of variance, calibrated as such.

    The Hill test sees curves of the expected form with few wells, the analysis of variance any other (a bell). Taking
    the smaller p is paid for: its own null is simulated; below the simulated range the Bonferroni factor 2 is
    approached. Without replicates the Hill test stands alone.
    """
    share = best_share(data, null.grid)
    p = share_p(null, _for_full_weight(share, data.total_weight, null.n_wells))
    by_dose = anova_p(data)
    if by_dose is None or null.smaller.size == 0:
        return p
    return _joint_p(null.smaller, np.minimum(p, by_dose))


def _for_full_weight(share: Floats, weight: Floats, n_wells: int) -> Floats:
    """The share that has the same F with every well at full weight (downweighted wells leave fewer degrees)."""
    odds = share / np.maximum(1.0 - share, 1e-300) * np.maximum(weight - 4.0, 0.0) / max(n_wells - 4.0, 1e-300)
    return np.asarray(odds / (1.0 + odds))


def _joint_p(smaller: Floats, p: Floats) -> Floats:
    size = smaller.size
    counted = (np.searchsorted(smaller, p, side="right") + 1.0) / (size + 1.0)
    factor = min(2.0, (np.searchsorted(smaller, _JOINT, side="right") + 1.0) / (size + 1.0) / _JOINT)
    low = p * (factor + (2.0 - factor) * (1.0 - p / _JOINT))
    return np.where(p < _JOINT, low, np.maximum(counted, _JOINT * factor))
