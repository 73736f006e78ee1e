"""The shapes of a dose-response curve: Hill (4PL) and gain-loss, as bases in which the two plateaus are linear.

    response = bottom + (top - bottom) * h(x; theta),   x = log10 concentration

If h is known, bottom and top follow from a straight-line fit, so that only theta has to be searched (variable
projection, Golub and Pereyra 1973). theta is (log10 EC50, ln slope) for Hill, and (log10 gain EC50, log10 loss EC50,
ln gain slope, ln loss slope) for gain-loss: h = g(x) l(x), g = 1 / (1 + 10^(p (log ga - x))),
l = 1 / (1 + 10^(q (x - log la))).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gandl_science.arrays import Float, Index, Mask

LN10 = float(np.log(10.0))
VEHICLE = -1000.0
"""The log10 concentration of a dose of zero: to the last bit, both shapes are at their left plateau there."""

_MIN_LOCATIONS, _LOCATIONS_PER_DECADE, _SLOPES = 21, 10, 12
"""The search grid of a Hill curve. A curve between two grid points is within the reach of the polish."""
_MIN_BELL_LOCATIONS, _MAX_BELL_LOCATIONS, _BELL_LOCATIONS_PER_DECADE, _BELL_SLOPES = 13, 25, 3, 4
"""The search grid of a gain-loss curve, which is coarser because it has four dimensions."""
_SPACING_DIGITS = 9
"""The digits of log10 dose to which two series of doses are compared."""


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """The bounds of a search: log10 EC50 within [low, high], slope within [slope_low, slope_high].

    `low` and `high` are one number for all curves, or one for each (B,).
    """

    low: float | Float
    high: float | Float
    slope_low: float = 0.3
    slope_high: float = 8.0

    @property
    def slopes(self) -> tuple[float, float]:
        """The bounds of ln slope."""
        return float(np.log(self.slope_low)), float(np.log(self.slope_high))

    def take(self, curves: Index) -> SearchSpace:
        """Return the bounds of the curves at these indices (repeats are allowed)."""
        if np.ndim(self.low) == 0:
            return self
        return replace(self, low=np.asarray(self.low)[curves], high=np.asarray(self.high)[curves])


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A basis h: `basis(x, theta)` → (..., D) and `gradient(x, theta)` → (..., P, D) for theta (..., P), x (..., D).

    `parameters` are the names of the P entries of theta. `locations` are the indices of those that are log10
    concentrations; where there are two, the first is not above the second. The other entries are ln slopes.
    """

    parameters: tuple[str, ...]
    locations: tuple[int, ...]
    basis: Callable[[Float, Float], Float]
    gradient: Callable[[Float, Float], Float]

    @property
    def n_theta(self) -> int:
        """The length P of theta."""
        return len(self.parameters)

    @property
    def n_parameters(self) -> int:
        """The number of parameters of the curve: theta and the two plateaus."""
        return self.n_theta + 2

    @property
    def is_location(self) -> Mask:
        """True for the entries of theta (P,) that are log10 concentrations."""
        return np.isin(np.arange(self.n_theta), self.locations)

    def bounds(self, space: SearchSpace) -> tuple[Float, Float]:
        """The lower and the upper bound of each theta, (P,) or (B, P) each."""
        low = [space.low if k in self.locations else space.slopes[0] for k in range(self.n_theta)]
        high = [space.high if k in self.locations else space.slopes[1] for k in range(self.n_theta)]
        return np.stack(np.broadcast_arrays(*low), axis=-1), np.stack(np.broadcast_arrays(*high), axis=-1)


def log_dose(concentration: Float) -> Float:
    """Return log10 of concentrations (any unit, not negative); zero becomes `VEHICLE`."""
    positive = concentration > 0
    # The inner choice keeps zero out of the logarithm, which would warn.
    return np.where(positive, np.log10(np.where(positive, concentration, 1.0)), VEHICLE)


def _logistic(u: Float) -> Float:
    """Return 1 / (1 + e^-u)."""
    # numpy computes several exponentials at once, which scipy.special.expit does not; overflow gives the right zero.
    with np.errstate(over="ignore"):
        value = np.exp(-u)
    value += 1.0
    return np.divide(1.0, value, out=value)


def _rise(x: Float, location: Float, log_slope: Float) -> tuple[Float, Float, Float]:
    """Return a logistic rise at x (..., D) for parameters (...), and its derivatives by location and by ln slope."""
    # The slope is per decade of dose, and searched as its logarithm, so that it stays positive.
    steep = (LN10 * np.exp(log_slope))[..., None]
    u = steep * (x - location[..., None])
    value = _logistic(u)
    bell = value * (1.0 - value)
    return value, -steep * bell, u * bell


def _level(x: Float, location: Float, log_slope: Float) -> Float:
    """Return the logistic rise of `_rise` without its derivatives, which would take most of the time."""
    return _logistic((LN10 * np.exp(log_slope))[..., None] * (x - location[..., None]))


def rise_table(x: Float, locations: Float, log_slopes: Float) -> Float:
    """Return the logistic rise at x (D,) for every pair of location (L,) and ln slope (K,), (D, L, K).

    The exponential of a difference is a quotient of exponentials, of which a grid needs few.
    """
    steep = LN10 * np.exp(log_slopes)
    with np.errstate(over="ignore"):
        table = np.exp(-steep * x[:, None])[:, None, :] * np.exp(steep * locations[:, None])
    table += 1.0
    return np.asarray(np.divide(1.0, table, out=table))


def hill_basis(x: Float, theta: Float) -> Float:
    """Return h of the Hill curve, (..., D)."""
    return _level(x, theta[..., 0], theta[..., 1])


def hill_gradient(x: Float, theta: Float) -> Float:
    """Return dh/dtheta of the Hill curve, (..., 2, D)."""
    _, by_location, by_slope = _rise(x, theta[..., 0], theta[..., 1])
    return np.stack([by_location, by_slope], axis=-2)


def gain_loss_basis(x: Float, theta: Float) -> Float:
    """Return h of the gain-loss curve, (..., D)."""
    return _level(x, theta[..., 0], theta[..., 2]) * (1.0 - _level(x, theta[..., 1], theta[..., 3]))


def gain_loss_gradient(x: Float, theta: Float) -> Float:
    """Return dh/dtheta of the gain-loss curve, (..., 4, D)."""
    gain, gain_by_location, gain_by_slope = _rise(x, theta[..., 0], theta[..., 2])
    loss, loss_by_location, loss_by_slope = _rise(x, theta[..., 1], theta[..., 3])
    remaining = 1.0 - loss
    return np.stack(
        [gain_by_location * remaining, -gain * loss_by_location, gain_by_slope * remaining, -gain * loss_by_slope],
        axis=-2,
    )


HILL = Shape(parameters=("ec50", "slope"), locations=(0,), basis=hill_basis, gradient=hill_gradient)
GAIN_LOSS = Shape(
    parameters=("ec50", "loss_ec50", "slope", "loss_slope"),
    locations=(0, 1),
    basis=gain_loss_basis,
    gradient=gain_loss_gradient,
)
SLOPE_NAMES = frozenset({"slope", "loss_slope"})


def search_grid(shape: Shape, x: Float, space: SearchSpace) -> tuple[Float, Float]:
    """Return starting points (G, P) that cover the search space, and their bases (G, D) at x (D,).

    There are ten EC50s per decade for Hill, and three for gain-loss. The bounds of the space are single numbers.
    """
    decades = float(space.high - space.low)
    if shape is HILL:
        count = max(_MIN_LOCATIONS, round(_LOCATIONS_PER_DECADE * decades) + 1)
        locations = np.linspace(space.low, space.high, count)
        # Slopes are spaced evenly in logarithm: curves differ most between shallow slopes.
        slopes = np.linspace(*space.slopes, _SLOPES)
        grid = np.stack(np.meshgrid(locations, slopes, indexing="ij"), axis=-1).reshape(-1, 2)
        return grid, rise_table(x, locations, slopes).reshape(x.size, -1).T
    count = max(_MIN_BELL_LOCATIONS, round(_BELL_LOCATIONS_PER_DECADE * decades) + 1)
    locations = np.linspace(space.low, space.high, min(_MAX_BELL_LOCATIONS, count))
    slopes = np.linspace(*space.slopes, _BELL_SLOPES)
    # A loss before the gain leaves hardly any peak to fit, so only pairs in order are used.
    starts, ends = (index[:, None, None] for index in np.triu_indices(locations.size, 1))
    own = np.arange(slopes.size)
    pairs = np.broadcast_arrays(starts, ends, own[:, None], own)
    first, second, gain, loss = (index.ravel() for index in pairs)
    grid = np.column_stack([locations[first], locations[second], slopes[gain], slopes[loss]])
    table = rise_table(x, locations, slopes)
    return grid, (table[:, first, gain] * (1.0 - table[:, second, loss])).T


@dataclass(frozen=True, kw_only=True)
class Spacing:
    """Curves whose doses are the same but for a constant factor, as in one dilution series from different stocks.

    `members` (N,) are their indices. `x` (D,) and `space` are log10 dose and search space with the lower end of the
    search at zero; `low` (N,) is where that end is. Everything but the EC50 is the same with shifted doses.
    """

    members: Index
    x: Float
    space: SearchSpace
    low: Float

    def starts(self, shape: Shape, grid: Float, points: Index) -> Float:
        """Return the grid points (G, P) at `points` (N, ...) at the doses of each curve, (N, ..., P)."""
        starts = grid[points]
        shift = self.low.reshape(-1, *[1] * (starts.ndim - 2))
        for k in shape.locations:
            starts[..., k] += shift
        return starts


def spacings(x: Float, space: SearchSpace, n_curves: int) -> list[Spacing]:
    """Return the curves of each spacing of doses; x (D,) or (n_curves, D) is log10 dose.

    Spacings are compared to 1e-9 decades, and the rounded doses are used, so that they depend on no other curve.
    """
    low, high = (np.broadcast_to(np.asarray(end, float), n_curves) for end in (space.low, space.high))
    relative = np.where(x <= VEHICLE / 2, VEHICLE, np.round(x - low[:, None], _SPACING_DIGITS))
    ends = np.round(high - low, _SPACING_DIGITS)
    key = np.column_stack([relative, ends])
    first, code = np.unique(key, axis=0, return_index=True, return_inverse=True)[1:]
    order = np.argsort(code.ravel(), kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(code.ravel()))[:-1])
    return [
        Spacing(members=members, x=relative[i], space=replace(space, low=0.0, high=float(ends[i])), low=low[members])
        for i, members in zip(first, groups, strict=True)
    ]
