"""The input of a curve fit, as frozen values: wells of a compound, the scale of their responses, and the options."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.records.vocabulary import CurveModel, Null


@dataclass(frozen=True)
class DoseResponseData:
    """The wells of one compound: concentration (n,), any unit, not negative, and response (n,), any unit; both finite.

    `plate` (n,) holds a code from 0 on for each plate; None where plates are unknown. `level_variance` is the sampling
    variance of the level of the absolute EC50. `weight` (n,) are relative weights above 0: the variance of a well is
    inverse to its weight. None: all are equal. Raises ValueError for anything else.
    """

    concentration: Float
    response: Float
    plate: Index | None = None
    level_variance: float = 0.0
    weight: Float | None = None

    def __post_init__(self) -> None:
        concentration, response = np.asarray(self.concentration, float), np.asarray(self.response, float)
        if concentration.shape != response.shape or concentration.ndim != 1 or concentration.size == 0:
            raise ValueError(
                f"give one response per concentration, at least one; the shapes are {concentration.shape} and "
                f"{response.shape}"
            )
        if not (np.isfinite(concentration).all() and np.isfinite(response).all() and (concentration >= 0).all()):
            raise ValueError("concentrations must be finite and not negative, responses finite; leave other wells out")
        if self.plate is not None and self.plate.shape != concentration.shape:
            raise ValueError(
                f"give one plate per concentration; the shapes are {self.plate.shape} and {concentration.shape}"
            )
        if self.weight is not None and not _are_weights(np.asarray(self.weight, float), concentration):
            raise ValueError("give one weight per concentration, a finite number above 0")
        object.__setattr__(self, "concentration", concentration)
        object.__setattr__(self, "response", response)


def _are_weights(weight: Float, concentration: Float) -> bool:
    return weight.shape == concentration.shape and bool(np.isfinite(weight).all() and (weight > 0).all())


@dataclass(frozen=True)
class ResponseScale:
    """The responses of the two controls. They give the wanted direction, the midpoint and the unit of the area."""

    negative: float = -1.0
    positive: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite([self.negative, self.positive]).all() and self.negative != self.positive):
            raise ValueError(f"controls must be two different numbers, got {self.negative} and {self.positive}")

    @property
    def midpoint(self) -> float:
        """The response half-way between the controls."""
        return (self.negative + self.positive) / 2

    @property
    def span(self) -> float:
        """The positive minus the negative control."""
        return self.positive - self.negative


@dataclass(frozen=True, kw_only=True)
class ScaleError:
    """The sampling variances of the mean responses of the negative and the positive control, with a scale of zero
    error where both are 0."""

    negative: float = 0.0
    positive: float = 0.0

    def variance_at(self, response: float, scale: ResponseScale) -> float:
        """Return the variance of a response that is measured on this scale, from the errors of its two ends.

        With u = (response - negative) / span, it is (1 - u)^2 times that of the negative and u^2 times that of the
        positive control: a response at one control has the error of this control, and one half-way has half of both.
        """
        share = (response - scale.negative) / scale.span
        return (1 - share) ** 2 * self.negative + share**2 * self.positive


@dataclass(frozen=True, kw_only=True)
class CurveOptions:
    """Choices of a fit.

    `confidence` is the level of all intervals. EC50s are searched up to `margin` decades beyond the tested doses,
    slopes within [slope_low, slope_high]. `n_null` curves simulate the null of the activity test. `n_bootstrap`
    resamples of the wells of each dose give the interval of its mean (0: no interval), `n_replications` new experiments
    the probability of being a hit again (0: none). `robust` downweights gross outliers. The activity test at the level
    `alpha` decides whether a shape is chosen; `null` is what it assumes of the noise. `scale` are the responses of the
    controls, None where they are unknown; by them a bump before the effect is told from an effect that is lost again.
    `model` is the only shape that may be chosen, None where all may. `level` is the response of the absolute EC50,
    None: there is none.
    """

    confidence: float = 0.95
    slope_low: float = 0.3
    slope_high: float = 8.0
    margin: float = 1.0
    n_null: int = 10_000
    n_bootstrap: int = 0
    n_replications: int = 0
    robust: bool = True
    alpha: float = 0.05
    null: Null = Null.AUTOMATIC
    scale: ResponseScale | None = None
    model: CurveModel | None = None
    level: float | None = None
