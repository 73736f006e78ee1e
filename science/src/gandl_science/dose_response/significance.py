"""Is there a dose effect at all, and does the chosen curve fit: tests of one design (doses and wells per dose).

The F of a Hill curve against a constant is not F-distributed: EC50 and slope do not exist under the null (Davies 1977).
So its null is simulated for the design. Under normal errors the direction of the data is uniform on a sphere, and the
chance that the best Hill curve explains more than a share r of it has, far out, Weyl's tube formula (Hotelling 1939;
Johansen and Johnstone 1990): beta tails weighted by the area, the boundary and the Euler characteristic of the surface
of unit Hill curves. From p = 0.1 down it agrees with simulation to the simulation's error, so that small p-values need
no 10^12 simulated curves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import beta, fdtrc

from gandl_science.dose_response.models import HILL, Floats, SearchSpace
from gandl_science.dose_response.solver import DoseMeans

_TAIL = 0.1
_JOINT = 0.02
_CHUNK = 2000
_SURFACE = (161, 41)


@dataclass(frozen=True)
class ActivityNull:
    """The null of one design: Hill bases `grid` (G, D), the simulated best shares in ascending order, the coefficients
    (3,) of their tail, and the simulated smaller p of the two tests (ascending; empty where there is no pure error)."""

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
    """Largest share of the variation about the mean that a Hill curve of the grid explains, (B,) in [0, 1]. The curves
    have equal weights: the largest cosine with a centred curve of the grid, squared."""
    root = np.sqrt(data.weight[0])
    centred = (grid - grid @ root[:, None] ** 2 / (root @ root)) * root
    length = np.linalg.norm(centred, axis=1)
    seen = length > 1e-5 * np.linalg.norm(root)
    unit = (centred[seen] / length[seen, None]).T
    total = data.between + data.pure
    directions = (data.mean - data.grand_mean[:, None]) * root / np.sqrt(np.where(total > 0, total, 1.0))[:, None]
    chunks = [directions[i : i + _CHUNK] @ unit for i in range(0, len(total), _CHUNK)]
    cosines = np.concatenate([np.maximum(c.max(axis=1), -c.min(axis=1)) for c in chunks])
    return np.asarray(np.minimum(cosines**2, 1.0))


def anova_p(data: DoseMeans) -> Floats:
    """One-way analysis of variance of wells by dose, (B,); NaN without replicates or with a single dose."""
    return _f_tail(data.between, data.x.size - 1, data.pure, data.total_weight - data.x.size)


def lack_of_fit_p(data: DoseMeans, misfit: Floats, n_parameters: int) -> Floats:
    """F-test of the curve against free dose means, (B,); NaN where no degrees of freedom are left for it."""
    return _f_tail(misfit, data.x.size - n_parameters, data.pure, data.total_weight - data.x.size)


def _f_tail(effect: Floats, effect_df: int, error: Floats, error_df: Floats) -> Floats:
    """P(F > observed); 1 where effect and error are both nothing, NaN without degrees of freedom."""
    known = (error_df > 0.5) & (effect_df > 0)
    nothing = (effect <= 0) & (error <= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (effect / effect_df) / (error / error_df)
    p = fdtrc(max(effect_df, 1), np.where(known, error_df, 1.0), np.where(nothing | ~known, 0.0, ratio))
    return np.where(known, p, np.nan)


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
    null = ActivityNull(n_wells, n_doses, grid, np.sort(shares), tube_coefficients(x, counts, space), np.empty(0))
    by_dose = anova_p(data)
    if not np.isfinite(by_dose).all():
        return null
    return replace(null, smaller=np.sort(np.minimum(share_p(null, shares), by_dose)))


def tube_coefficients(x: Floats, counts: Floats, space: SearchSpace) -> Floats:
    """Weights (3,) of the beta tails of orders 1, 2, 3, from the surface of centred unit Hill curves.

    The expected Euler characteristic of both ends of the data's direction (a falling curve counts as well) is
    2 (1/2 B1 + L / (4 pi) B2 + A / (4 pi) (B3 - B1)), with L its boundary and A its area (Adler and Taylor 2007).
    """
    locations = np.linspace(space.low, space.high, _SURFACE[0])
    slopes = np.linspace(*space.slopes, _SURFACE[1])
    share = counts / counts.sum()
    h = HILL.basis(x, np.stack(np.meshgrid(locations, slopes, indexing="ij"), axis=-1))
    centred = (h - (h * share).sum(axis=-1, keepdims=True)) * np.sqrt(share)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=-1, keepdims=True), 1e-150)
    along, across = unit[1:, :-1] - unit[:-1, :-1], unit[:-1, 1:] - unit[:-1, :-1]
    squares = (along**2).sum(-1) * (across**2).sum(-1) - (along * across).sum(-1) ** 2
    area = float(np.sqrt(np.maximum(squares, 0.0)).sum())
    edges = (unit[0], unit[-1], unit[:, 0], unit[:, -1])
    boundary = sum(float(np.linalg.norm(np.diff(edge, axis=0), axis=1).sum()) for edge in edges)
    return np.array([1.0 - area / (2 * np.pi), boundary / (2 * np.pi), area / (2 * np.pi)])


def share_p(null: ActivityNull, share: Floats) -> Floats:
    """P of a share at least this large under the null: counted in the bulk, by the tube formula below 0.1."""
    size = null.shares.size
    counted = (size - np.searchsorted(null.shares, share, side="left") + 1.0) / (size + 1.0)
    far = counted < 3 * _TAIL
    tail = _beta_tails(share[far], null.n_wells) @ null.tail
    p = np.maximum(counted, _TAIL)
    p[far] = np.where(tail < _TAIL, tail, p[far])
    return np.asarray(p)


def _beta_tails(share: Floats, n_wells: int) -> Floats:
    """P(B > share) (N, 3) for B of beta(k / 2, (n - 1 - k) / 2), k = 1, 2, 3, ten times as fast as three integrals.

    The first is the tail of an F with 1 and n - 2 degrees of freedom, the second a power; the third follows from the
    first by I(a, b) - I(a + 1, b - 1) = x^a (1 - x)^(b - 1) / (a B(a, b)).
    """
    b, rest = (n_wells - 2) / 2, np.maximum(1 - share, 1e-300)
    first = fdtrc(1, n_wells - 2, (n_wells - 2) * share / rest)
    third = first + 2 * np.sqrt(share) * rest ** (b - 1) / beta(0.5, b)
    return np.stack([first, rest ** (b - 0.5), third], axis=-1)


def activity_p(null: ActivityNull, data: DoseMeans, misfit: Floats) -> Floats:
    """p-value of a dose effect, (B,): the smaller of the Hill test and the analysis of variance, calibrated as such.
    `misfit` (B,) is that of the best Hill curve.

    The Hill test sees curves of the expected form with few wells, the analysis of variance any other (a bell). Taking
    the smaller p is paid for: its own null is simulated; below the simulated range the Bonferroni factor 2 is
    approached. Without replicates the Hill test stands alone.
    """
    total = data.between + data.pure
    share = np.where(total > 0, (data.between - misfit) / np.where(total > 0, total, 1.0), 0.0)
    p = share_p(null, _for_full_weight(share, data.total_weight, null.n_wells))
    by_dose = anova_p(data)
    if null.smaller.size == 0:
        return p
    return np.where(np.isfinite(by_dose), _joint_p(null.smaller, np.fmin(p, by_dose)), p)


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
