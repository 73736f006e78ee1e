"""Tests of one design (doses and wells per dose): is there a dose effect, and does the chosen curve fit?

The F of a Hill curve against a constant does not have the F distribution, because EC50 and slope do not exist under the
null hypothesis (Davies 1977, 1987). So the null is simulated for the design. Under normal errors the direction of the
data is uniform on a sphere. The probability that the best Hill curve explains more than a share r of it is given, for
large r, by the tube formula (Hotelling 1939; Weyl 1939; Johansen and Johnstone 1990): tails of beta distributions
weighted by the area, the boundary and the Euler characteristic of the surface of unit Hill curves. From p = 0.1 down it
agrees with simulation to the error of the simulation, so that small p-values do not need 10^12 simulated curves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import beta, fdtrc

from gandl_science.arrays import Float
from gandl_science.dose_response.models import SearchSpace, Spacing, rise_table
from gandl_science.dose_response.solver import DoseMeans

_TAIL = 0.1
"""The p-value below which the tube formula replaces counting."""
_JOINT_TAIL = 0.02
"""The smaller of two p-values below which its null is extrapolated: too few simulated curves are beyond it."""
_CURVES_PER_CHUNK = 1000
_SURFACE_POINTS = (161, 41)
"""EC50s and slopes at which the surface of Hill curves is measured. Twice as many of both change the coefficients of
six doses in four replicates by less than 2 %."""
_CLEAR_P = (0.001, 0.15)
"""Outside these limits, few simulated curves say enough of p."""
FEW_SIMULATIONS = 1000
_ROUNDING = 1e-12
_MIN_LENGTH = 1e-5
"""The length, relative to the weights, below which a centred Hill curve is flat within the doses."""


@dataclass(frozen=True, kw_only=True)
class ActivityNull:
    """The null distribution of one design.

    `grid` (G, D) are Hill bases, `shares` the simulated best shares in ascending order, `tail` (3,) the coefficients
    of the tube formula. `smaller_p` is the simulated smaller p-value of the two tests, ascending; it is empty where
    there is no pure error.
    """

    n_wells: int
    n_doses: int
    grid: Float
    shares: Float
    tail: Float
    smaller_p: Float


def hill_grid(x: Float, space: SearchSpace) -> Float:
    """Return the Hill bases (G, D) among which the activity test searches: seven EC50s per decade, six slopes."""
    locations = np.linspace(space.low, space.high, max(15, round(7 * float(space.high - space.low)) + 1))
    slopes = np.linspace(*space.slopes, 6)
    return rise_table(x, locations, slopes).reshape(x.size, -1).T


def best_share(data: DoseMeans, grid: Float) -> Float:
    """Return the largest share (B,) in [0, 1] of the variation about the mean that a Hill curve of the grid explains.

    The curves have equal weights. The share is the square of the largest cosine with a centred curve of the grid.
    """
    return _best_share(_directions(data), np.sqrt(data.weight[0]), grid)


def _directions(data: DoseMeans) -> Float:
    """Return the centred dose means (B, D), in units in which all variation about the mean is 1."""
    # Scaling by the root of the weights turns weighted into plain sums of squares.
    total = data.between + data.pure
    scale = np.sqrt(data.weight / np.where(total > 0, total, 1.0)[:, None])
    return np.asarray((data.mean - data.grand_mean[:, None]) * scale)


def _best_share(directions: Float, root: Float, grid: Float) -> Float:
    centred = (grid - grid @ root[:, None] ** 2 / (root @ root)) * root
    length = np.linalg.norm(centred, axis=1)
    # A curve that is flat within the doses has no direction.
    visible = length > _MIN_LENGTH * np.linalg.norm(root)
    unit = centred[visible] / length[visible, None]
    chunks = range(0, len(directions), _CURVES_PER_CHUNK)
    # The curves are the first axis, because maxima over the last axis are slow.
    cosines = [unit @ directions[i : i + _CURVES_PER_CHUNK].T for i in chunks]
    # A falling curve is a rising one with the other sign, so the size of a cosine counts.
    best = np.concatenate([np.abs(c, out=c).max(axis=0) for c in cosines])
    return np.asarray(np.minimum(best**2, 1.0))


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


@dataclass(frozen=True, kw_only=True)
class FlatWells:
    """N simulated compounds without an effect, whose wells per dose are `counts` (D,), or the sums of their weights.

    `directions` (N, D) are their centred dose means with all variation scaled to 1, `by_dose` (N,) their p-values of
    the analysis of variance (NaN without replicates). Neither depends on the doses.
    """

    counts: Float
    directions: Float
    by_dose: Float


def simulate_wells(counts: Float, n_simulations: int, rng: np.random.Generator) -> FlatWells:
    """Simulate compounds without an effect: at least five wells at four or more doses, `counts` (D,) of each dose."""
    n_wells, n_doses = round(float(counts.sum())), int(counts.size)
    # Normal wells have independent means (variance 1 / wells) and a chi-squared pure error: no well need be drawn.
    mean = rng.normal(size=(n_simulations, n_doses)) / np.sqrt(counts)
    pure_df = n_wells - n_doses
    pure = rng.chisquare(pure_df, n_simulations) if pure_df else np.zeros(n_simulations)
    data = DoseMeans(np.zeros(n_doses), np.broadcast_to(counts, mean.shape), mean, pure)
    return FlatWells(counts=counts, directions=_directions(data), by_dose=anova_p(data))


def simulate_null(
    x: Float, counts: Float, space: SearchSpace, n_simulations: int, rng: np.random.Generator
) -> ActivityNull:
    """Simulate the null of a design with wells per dose `counts` (D,): at least five wells, at least four doses."""
    return activity_null(x, simulate_wells(counts, n_simulations, rng), space)


def activity_null(x: Float, wells: FlatWells, space: SearchSpace, tail: Float | None = None) -> ActivityNull:
    """Return the null at the log10 doses x (D,), from simulated wells that all designs with these counts share.

    `tail` (3,) are the coefficients of the tube formula, where they were computed before.
    """
    grid = hill_grid(x, space)
    shares = _best_share(wells.directions, np.sqrt(wells.counts), grid)
    null = ActivityNull(
        n_wells=round(float(wells.counts.sum())),
        n_doses=int(wells.counts.size),
        grid=grid,
        shares=np.sort(shares),
        tail=tube_coefficients(x, wells.counts, space) if tail is None else tail,
        smaller_p=np.empty(0),
    )
    if not np.isfinite(wells.by_dose).all():
        return null
    return replace(null, smaller_p=np.sort(np.minimum(share_p(null, shares), wells.by_dose)))


def tube_coefficients(x: Float, counts: Float, space: SearchSpace, points: tuple[int, int] = _SURFACE_POINTS) -> Float:
    """Return the weights (3,) of the beta tails of orders 1, 2, 3, from the surface of centred unit Hill curves.

    `points` are the numbers of EC50s and of slopes at which the surface is measured.

    The expected Euler characteristic of both ends of the data's direction (a falling curve counts as well) is
    2 (1/2 B1 + L / (4 pi) B2 + A / (4 pi) (B3 - B1)), with L the boundary and A the area of the surface (Adler and
    Taylor 2007).
    """
    locations = np.linspace(space.low, space.high, points[0])
    slopes = np.linspace(*space.slopes, points[1])
    # Doses with more wells count more, as they do in the fit.
    share = counts / counts.sum()
    # The doses are the first axis, because sums over a short last axis are slow, and changes are made in place, because
    # the surface is computed for every spacing of doses.
    unit = rise_table(x, locations, slopes)
    flat = unit.reshape(x.size, -1)
    flat -= share @ flat
    flat *= np.sqrt(share)[:, None]
    flat /= np.maximum(np.sqrt(np.einsum("dk,dk->k", flat, flat)), 1e-150)
    # The area is the sum of small parallelograms, by the Gram determinant of their two edges.
    along, across = unit[:, 1:, :-1] - unit[:, :-1, :-1], unit[:, :-1, 1:] - unit[:, :-1, :-1]
    squares = _inner(along, along) * _inner(across, across) - _inner(along, across) ** 2
    area = float(np.sqrt(np.maximum(squares, 0.0)).sum())
    edges = (unit[:, 0], unit[:, -1], unit[:, :, 0], unit[:, :, -1])
    boundary = sum(float(np.linalg.norm(np.diff(edge, axis=1), axis=0).sum()) for edge in edges)
    return np.array([1.0 - area / (2 * np.pi), boundary / (2 * np.pi), area / (2 * np.pi)])


def _inner(a: Float, b: Float) -> Float:
    """Return the sums (L, K) of the products of two arrays (D, L, K)."""
    return np.asarray(np.einsum("dlk,dlk->lk", a, b))


@dataclass(frozen=True, kw_only=True)
class NullSimulations:
    """Simulated wells of one pattern of counts: `few` for every design, and `many`, drawn where they are needed."""

    few: FlatWells
    draw_many: Callable[[], FlatWells]

    @cached_property
    def many(self) -> FlatWells:
        """The wells of the precise null."""
        return self.draw_many()

    def test(self, spacing: Spacing, data: DoseMeans, misfit: Float) -> tuple[ActivityP, ActivityNull]:
        """Return the p-values (B,) of curves with one spacing of doses, and a null of their design.

        Few simulated curves show that p is above 0.15. They also suffice below 0.001, where p is that of the tube
        formula but for a factor of nearly 2. The others are compared with many. This depends on no other curve.
        """
        null = activity_null(spacing.x, self.few, spacing.space)
        result = activity_p(null, data, misfit)
        close = np.flatnonzero((result.p > _CLEAR_P[0]) & (result.p < _CLEAR_P[1]))
        if close.size == 0 or len(self.many.by_dose) <= len(self.few.by_dose):
            return result, null
        precise = activity_p(
            activity_null(spacing.x, self.many, spacing.space, null.tail), data.take(close), misfit[close]
        )
        p, hill = result.p.copy(), result.hill.copy()
        p[close], hill[close] = precise.p, precise.hill
        return ActivityP(p=p, hill=hill), null


def share_p(null: ActivityNull, share: Float) -> Float:
    """Return P of a share at least this large under the null: counted where common, by the tube formula below 0.1."""
    size = null.shares.size
    # The observed curve counts as one of the simulated ones, so that p is never zero (Davison and Hinkley 1997).
    counted = (size - np.searchsorted(null.shares, share, side="left") + 1.0) / (size + 1.0)
    # Counts near 0.1 vary by chance, so the formula is evaluated from three times that on, and decides by itself.
    far = counted < 3 * _TAIL
    tail = tube_tail(share[far], null.n_wells, null.tail)
    p = np.maximum(counted, _TAIL)
    p[far] = np.where(tail < _TAIL, tail, p[far])
    return np.asarray(p)


def tube_tail(share: Float, n_wells: float, coefficients: Float) -> Float:
    """Return P (B,) of a best share at least this large under the null, by the tube formula; above 1 for small shares.

    `coefficients` (3,) are those of `tube_coefficients`.
    """
    return np.asarray(_beta_tails(share, n_wells) @ coefficients)


def _beta_tails(share: Float, n_wells: float) -> Float:
    """Return P(B > share) (N, 3) for B of beta(k / 2, (n - 1 - k) / 2), k = 1, 2, 3, without three slow integrals.

    The first is the tail of an F with 1 and n - 2 degrees of freedom, the second a power; the third follows from the
    first by I(a, b) - I(a + 1, b - 1) = x^a (1 - x)^(b - 1) / (a B(a, b)) (DLMF, section 8.17).
    """
    b, rest = (n_wells - 2) / 2, np.maximum(1 - share, 1e-300)
    first = fdtrc(1, n_wells - 2, (n_wells - 2) * share / rest)
    third = first + 2 * np.sqrt(share) * rest ** (b - 1) / beta(0.5, b)
    return np.stack([first, rest ** (b - 0.5), third], axis=-1)


@dataclass(frozen=True, kw_only=True)
class ActivityP:
    """The p-values (B,) of a dose effect: `p` of the activity test, `hill` of its Hill part alone."""

    p: Float
    hill: Float


def activity_p(null: ActivityNull, data: DoseMeans, misfit: Float) -> ActivityP:
    """Return the p-value (B,) of a dose effect: the smaller p of the Hill test and of anova, calibrated as such.

    `misfit` (B,) is that of the best Hill curve. The Hill test detects curves of the expected form with few wells, the
    analysis of variance any other form, such as a bell. The price of taking the smaller p is paid: its own null is
    simulated, and below the simulated range the factor approaches Bonferroni's 2. Without replicates only the Hill
    test is used.
    """
    total = data.between + data.pure
    share = np.where(total > 0, (data.between - misfit) / np.where(total > 0, total, 1.0), 0.0)
    hill = share_p(null, _for_full_weight(share, data.total_weight, null.n_wells))
    by_dose = anova_p(data)
    if null.smaller_p.size == 0:
        return ActivityP(p=hill, hill=hill)
    joint = np.where(np.isfinite(by_dose), _joint_p(null.smaller_p, np.fmin(hill, by_dose)), hill)
    return ActivityP(p=joint, hill=hill)


def _for_full_weight(share: Float, weight: Float, n_wells: int) -> Float:
    """Return the share that has the same F with every well at full weight; downweighted wells leave fewer degrees."""
    # F is the odds of the share times the degrees of freedom, n - 4 for a Hill curve.
    odds = share / np.maximum(1.0 - share, 1e-300) * np.maximum(weight - 4.0, 0.0) / max(n_wells - 4.0, 1e-300)
    return np.asarray(odds / (1.0 + odds))


def _joint_p(smaller_p: Float, p: Float) -> Float:
    """Return P that the smaller of two p-values is at most p, from its simulated null (ascending)."""
    size = smaller_p.size
    counted = (np.searchsorted(smaller_p, p, side="right") + 1.0) / (size + 1.0)
    # Beyond the simulated range the factor rises from its value at the edge to Bonferroni's 2.
    factor = min(2.0, (np.searchsorted(smaller_p, _JOINT_TAIL, side="right") + 1.0) / (size + 1.0) / _JOINT_TAIL)
    low = p * (factor + (2.0 - factor) * (1.0 - p / _JOINT_TAIL))
    return np.where(p < _JOINT_TAIL, low, np.maximum(counted, _JOINT_TAIL * factor))


def q_values(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return the p-values of one family, adjusted for its size (Benjamini and Hochberg 1995).

    An untested member (None) stays None and does not count.
    """
    tested = np.array([p for p in p_values if p is not None])
    # scipy.stats has this function, but loading it takes longer than the fits of a small table.
    order = np.argsort(tested)
    scaled = tested[order] * (tested.size / np.arange(1, tested.size + 1))
    adjusted = np.empty_like(tested)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    remaining = iter(adjusted.tolist())
    return tuple(None if p is None else next(remaining) for p in p_values)
