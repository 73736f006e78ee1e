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
    """Return the logistic rise (..., D, K, L) at x (..., D) for every pair of ln slope (K,) and location (..., L).

    The exponential of a difference is a quotient of exponentials, of which a grid needs few.
    """
    steep = LN10 * np.exp(log_slopes)
    with np.errstate(over="ignore"):
        growth = np.exp(steep[:, None] * locations[..., None, :])
        table = np.exp(-steep * x[..., None])[..., None] * growth[..., None, :, :]
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
