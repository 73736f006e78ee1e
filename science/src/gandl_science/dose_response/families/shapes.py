"""The forms of the curves that can be asked for, with the dose of the half effect as a parameter of each.

    response = bottom + (top - bottom) * share(x; theta, direction),   x = log10 concentration

`direction` is 1 for a curve that rises and -1 for one that falls. theta begins with log10 EC50 and ln slope.

- Hill: share = 1 / (1 + 10^(d s (log EC50 - x))).
- 5PL (Richards 1959; Gottschalk and Dunn 2005): share = (1 + (2^(1/a) - 1) 10^(d s (log EC50 - x)))^-a. The usual
  location c is where the term in brackets is 2; it is the half effect only for a = 1.
- Brain and Cousens 1989, with the EC50 as a parameter (van Ewijk and Hoekstra 1993): with r = dose / EC50,
  left + (right - left) (1 - (1 + h r) / (1 + (1 + 2h) r^b)). The usual f is h (left - right) / EC50, and the usual e is
  EC50 / (1 + 2h)^(1/b).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from scipy.special import expit

from gandl_science.arrays import Float
from gandl_science.dose_response.models import LN10, log_dose

MIN_HORMESIS_SLOPE = 1.0
"""Up to this slope a Brain-Cousens curve does not return: its linear term grows faster than the rest falls."""
_ASYMMETRY, _HORMESIS = (0.1, 10.0), (1e-3, 1e4)


@dataclass(frozen=True, kw_only=True)
class FamilyShape:
    """A form: `share(x, theta, direction)` gives (..., D) for x (D,) and theta (..., P).

    `extra` is the name of the third entry of theta if there is one, which is a logarithm within `extra_bounds`.
    `extra_starts` are the values from which it is searched.
    """

    share: Callable[[Float, Float, float], Float]
    extra: str | None = None
    extra_bounds: tuple[float, float] = (1.0, 1.0)
    extra_starts: tuple[float, ...] = ()
    min_slope: float = 0.0

    @property
    def n_theta(self) -> int:
        """The length P of theta."""
        return 2 if self.extra is None else 3


def _hill_share(x: Float, theta: Float, direction: float) -> Float:
    location, steep = theta[..., 0, None], LN10 * np.exp(theta[..., 1, None])
    return np.asarray(expit(direction * steep * (x - location)))


def _five_parameter_share(x: Float, theta: Float, direction: float) -> Float:
    location, steep = theta[..., 0, None], LN10 * np.exp(theta[..., 1, None])
    asymmetry = np.exp(theta[..., 2, None])
    # In logarithms, because the power overflows for a dose of zero.
    shift = np.log(np.expm1(np.log(2.0) / asymmetry))
    return np.asarray(np.exp(-asymmetry * np.logaddexp(0.0, shift - direction * steep * (x - location))))


def _brain_cousens_share(x: Float, theta: Float, direction: float) -> Float:
    log_ratio = LN10 * (x - theta[..., 0, None])
    slope, hormesis = np.exp(theta[..., 1, None]), np.exp(theta[..., 2, None])
    left = (1.0 + hormesis * np.exp(log_ratio)) * expit(-(np.log1p(2.0 * hormesis) + slope * log_ratio))
    return np.asarray(left if direction < 0 else 1.0 - left)


HILL_FAMILY = FamilyShape(share=_hill_share)
FIVE_PARAMETER = FamilyShape(
    share=_five_parameter_share, extra="asymmetry", extra_bounds=_ASYMMETRY, extra_starts=(0.2, 0.5, 1.0, 2.0, 5.0)
)
BRAIN_COUSENS = FamilyShape(
    share=_brain_cousens_share,
    extra="hormesis",
    extra_bounds=_HORMESIS,
    extra_starts=(0.01, 0.3, 1.0, 3.0, 10.0, 50.0, 300.0),
    min_slope=MIN_HORMESIS_SLOPE,
)


def predict_family(shape: FamilyShape, values: Mapping[str, float], concentration: Float, *, rising: bool) -> Float:
    """Return the response at concentrations (n,) for the values of `ec50, slope, bottom, top` and the extra one."""
    theta = [np.log10(values["ec50"]), np.log(values["slope"])]
    if shape.extra is not None:
        theta.append(np.log(values[shape.extra]))
    share = shape.share(log_dose(concentration), np.array(theta), 1.0 if rising else -1.0)
    return np.asarray(values["bottom"] + (values["top"] - values["bottom"]) * share)


def stimulation_ratio(slope: float, hormesis: float) -> float | None:
    """Return the dose of the largest stimulation as a share of the EC50, None where there is no stimulation."""
    if slope <= MIN_HORMESIS_SLOPE or hormesis <= _HORMESIS[0] * (1 + 1e-6):
        return None
    k = 1.0 + 2.0 * hormesis

    def growth(log_ratio: float) -> float:
        power = np.exp(slope * log_ratio)
        return float(hormesis + k * hormesis * power * (1.0 - slope) - k * slope * power / np.exp(log_ratio))

    # The derivative falls from `hormesis` at a dose of zero and is negative at the EC50.
    return float(np.exp(scipy.optimize.brentq(growth, -700.0 / slope, 0.0)))
