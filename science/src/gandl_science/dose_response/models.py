"""The shapes a dose-response curve can have: Hill (4PL) and gain-loss, as bases whose two plateaus enter linearly.

    response = bottom + (top - bottom) * h(x; theta),   x = log10 concentration

With h known, bottom and top are a straight-line fit, so only theta is searched (variable projection, Golub and Pereyra
1973). theta is (log10 EC50, ln slope) for Hill and (log10 gain EC50, log10 loss EC50, ln gain slope, ln loss slope) for
gain-loss: h = g(x) l(x), g = 1 / (1 + 10^(p (log ga - x))), l = 1 / (1 + 10^(q (x - log la))).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
LN10 = float(np.log(10.0))
VEHICLE = -1000.0
"""log10 concentration that stands for a dose of zero: both shapes are at their left plateau there, to the last bit."""


@dataclass(frozen=True)
class SearchSpace:
    """Bounds of a search: slope within [slope_low, slope_high], log10 EC50 within [low, high]."""

    low: float
    high: float
    slope_low: float = 0.3
    slope_high: float = 8.0

    @property
    def slopes(self) -> tuple[float, float]:
        """Bounds of ln slope."""
        return float(np.log(self.slope_low)), float(np.log(self.slope_high))


@dataclass(frozen=True)
class Shape:
    """A basis h: `basis(x, theta)` → (..., D) and `gradient(x, theta)` → (..., P, D) for theta (..., P), x (D,).

    `locations` are the indices of theta that are log10 concentrations; where there are two the first is not above the
    second. `n_parameters` counts theta and the two plateaus.
    """

    name: str
    basis: Callable[[Floats, Floats], Floats]
    gradient: Callable[[Floats, Floats], Floats]
    locations: tuple[int, ...]
    n_theta: int

    @property
    def n_parameters(self) -> int:
        return self.n_theta + 2

    def bounds(self, space: SearchSpace) -> tuple[Floats, Floats]:
        """Lower and upper bound of each theta, (P,) each."""
        low = [space.low if k in self.locations else space.slopes[0] for k in range(self.n_theta)]
        high = [space.high if k in self.locations else space.slopes[1] for k in range(self.n_theta)]
        return np.array(low), np.array(high)


def log_dose(concentration: Floats) -> Floats:
    """log10 of concentrations (any unit, not negative); zero becomes `VEHICLE`."""
    positive = concentration > 0
    return np.where(positive, np.log10(np.where(positive, concentration, 1.0)), VEHICLE)


def _rise(x: Floats, location: Floats, log_slope: Floats) -> tuple[Floats, Floats, Floats]:
    """Logistic rise at x (D,) for parameters (...): its value, derivative by location, derivative by ln slope."""
    steep = (LN10 * np.exp(log_slope))[..., None]
    u = steep * (x - location[..., None])
    value = expit(u)
    bell = value * (1.0 - value)
    return value, -steep * bell, u * bell


def hill_basis(x: Floats, theta: Floats) -> Floats:
    """h of the Hill curve, (..., D)."""
    return _rise(x, theta[..., 0], theta[..., 1])[0]


def hill_gradient(x: Floats, theta: Floats) -> Floats:
    """dh/dtheta of the Hill curve, (..., 2, D)."""
    _, by_location, by_slope = _rise(x, theta[..., 0], theta[..., 1])
    return np.stack([by_location, by_slope], axis=-2)


def gain_loss_basis(x: Floats, theta: Floats) -> Floats:
    """h of the gain-loss curve, (..., D)."""
    gain = _rise(x, theta[..., 0], theta[..., 2])[0]
    loss = _rise(x, theta[..., 1], theta[..., 3])[0]
    return gain * (1.0 - loss)


def gain_loss_gradient(x: Floats, theta: Floats) -> Floats:
    """dh/dtheta of the gain-loss curve, (..., 4, D)."""
    gain, gain_e, gain_s = _rise(x, theta[..., 0], theta[..., 2])
    loss, loss_e, loss_s = _rise(x, theta[..., 1], theta[..., 3])
    keep = 1.0 - loss
    return np.stack([gain_e * keep, -gain * loss_e, gain_s * keep, -gain * loss_s], axis=-2)


HILL = Shape("hill", hill_basis, hill_gradient, (0,), 2)
GAIN_LOSS = Shape("gain_loss", gain_loss_basis, gain_loss_gradient, (0, 1), 4)


def search_grid(shape: Shape, space: SearchSpace) -> Floats:
    """Starting points that cover the search space, (G, P): ten EC50s a decade for Hill, three for gain-loss."""
    decades = space.high - space.low
    slopes = np.linspace(*space.slopes, 12 if shape is HILL else 4)
    if shape is HILL:
        locations = np.linspace(space.low, space.high, max(21, round(10 * decades) + 1))
        return np.stack(np.meshgrid(locations, slopes, indexing="ij"), axis=-1).reshape(-1, 2)
    locations = np.linspace(space.low, space.high, min(25, max(13, round(3 * decades) + 1)))
    grid = np.stack(np.meshgrid(locations, locations, slopes, slopes, indexing="ij"), axis=-1).reshape(-1, 4)
    return np.asarray(grid[grid[:, 0] < grid[:, 1]])
