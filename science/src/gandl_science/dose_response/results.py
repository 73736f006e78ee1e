"""The input and the results of a curve fit, as frozen values. The only computation is `CurveFit.predict`.

The enums have the members of those in `gandl_shared.schemas`, which this package does not import; a test holds the two
sets equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.families.shapes import BRAIN_COUSENS, FIVE_PARAMETER, FamilyShape, predict_family
from gandl_science.dose_response.models import GAIN_LOSS, HILL, Shape, log_dose


class CurveModel(StrEnum):
    """The models of a curve: no change with dose, one sigmoid, a rise that is followed by a fall, a sigmoid that is not
    symmetric, or a stimulation before the effect."""

    CONSTANT = "constant"
    HILL = "hill"
    GAIN_LOSS = "gain_loss"
    FIVE_PARAMETER = "5pl"
    BRAIN_COUSENS = "brain_cousens"


class Relation(StrEnum):
    """How a reported concentration relates to the true one: it is the estimate, an upper bound or a lower bound."""

    EQUAL = "="
    BELOW = "<"
    ABOVE = ">"


class Verdict(StrEnum):
    """What a compound does."""

    ACTIVE = "active"
    ACTIVE_BIPHASIC = "active_biphasic"
    UNDETERMINED = "undetermined"
    INACTIVE = "inactive"
    TOXIC = "toxic"


class Flag(StrEnum):
    """A reason for a verdict, or a warning about a curve. docs/dose-response.md has the rule of each."""

    INACTIVE = "inactive"
    CONTROLS_AT_CHANCE = "controls_at_chance"
    ACTIVE_AT_ALL_DOSES = "active_at_all_doses"
    ACTIVE_AT_LOWEST_DOSE = "active_at_lowest_dose"
    EC50_ABOVE_RANGE = "ec50_above_range"
    EC50_BELOW_RANGE = "ec50_below_range"
    EC50_NEAR_DOSE_LIMIT = "ec50_near_dose_limit"
    TOP_NOT_REACHED = "top_not_reached"
    BIPHASIC_TOXIC_DROP = "biphasic_toxic_drop"
    SINGLE_DOSE_ACTIVITY = "single_dose_activity"
    NEGATIVE_DIRECTION = "negative_direction"
    HIGH_OFF_PERTURBATION = "high_off_perturbation"
    LACK_OF_FIT = "lack_of_fit"
    LOW_REPLICATES = "low_replicates"
    FEW_DOSES = "few_doses"
    OUTLIERS_DOWNWEIGHTED = "outliers_downweighted"
    SLOPE_AT_BOUND = "slope_at_bound"
    LIMBS_OVERLAP = "limbs_overlap"
    UNEQUAL_SCATTER = "unequal_scatter"
    ASSUMES_EQUAL_SCATTER = "assumes_equal_scatter"
    MANY_OUTLIERS = "many_outliers"
    CONFOUNDED_WITH_PLATE = "confounded_with_plate"
    EMPTY_WELLS = "empty_wells"
    EQUAL_REPLICATES = "equal_replicates"


class Null(StrEnum):
    """What the activity test assumes of a compound that does nothing.

    `automatic`: normal noise of equal scatter, with the checks that docs/dose-response.md describes, which may overrule
    the p-value. `normal`: the same without any check. `unequal`: every dose may have a variance of its own.
    `permutation`: the wells may be exchanged between the doses, whatever the form of the noise.
    """

    AUTOMATIC = "automatic"
    NORMAL = "normal"
    UNEQUAL = "unequal"
    PERMUTATION = "permutation"


class WindowLimit(StrEnum):
    """What ends the therapeutic window: cells that leave the controls, the loss of the effect, or the highest dose."""

    OFF_AXIS = "off_axis"
    LOSS = "loss"
    TOP_DOSE = "top_dose"


SHAPES: Mapping[CurveModel, Shape] = {CurveModel.HILL: HILL, CurveModel.GAIN_LOSS: GAIN_LOSS}
"""The shape of each model that the solver of many curves has; a constant has none."""

FAMILIES: Mapping[CurveModel, FamilyShape] = {
    CurveModel.FIVE_PARAMETER: FIVE_PARAMETER,
    CurveModel.BRAIN_COUSENS: BRAIN_COUSENS,
}
"""The shape of each model that is fitted only where a user asks for it."""


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


@dataclass(frozen=True, kw_only=True)
class ParameterEstimate:
    """An estimate with its standard error, which is None at a bound, without degrees of freedom, and where the data do
    not determine it.

    `is_fixed`: the user has fixed the value, so it is not estimated.
    """

    estimate: float
    se: float | None
    at_bound: bool
    is_fixed: bool = False


@dataclass(frozen=True, kw_only=True)
class StimulationPeak:
    """The concentration at which a Brain-Cousens curve is stimulated most, and its response there."""

    concentration: float
    response: float


@dataclass(frozen=True, kw_only=True)
class LocationEstimate:
    """A location parameter in the unit of the doses, with its profile interval; an open side is None.

    `above` and `below` are the bounds that are reported instead of the estimate where a side is open, or where the
    estimate is outside the tested doses. They are surer than the ends of the interval; None where there is none.
    """

    estimate: float
    low: float | None
    high: float | None
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, kw_only=True)
class LevelCrossing:
    """The dose at which a curve reaches a level, with its profile interval; None: no crossing, or an open side.

    An infinite `low` says that the curve certainly does not reach the level, and a `high` of zero that it is certainly
    beyond it, up to a decade outside of the tested doses.
    """

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class DoseSummary:
    """A tested dose: the weighted mean of its wells, their number, and the bootstrap interval of the mean if any.

    `weight` is the sum of relative weights that the user has given to the wells, None without them.
    """

    concentration: float
    mean: float
    n_wells: int
    low: float | None
    high: float | None
    weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class Replications:
    """What S new experiments with one compound would show; all arrays are (S,).

    `p` is that of the activity test, `is_described` says whether a curve is chosen, `change` is the fitted response
    farthest from the lowest dose less that at it, `ec50` the EC50 of the curve, `base` the fitted response at the
    lowest dose with its standard error `base_error`, `lowest_mean` and `highest_mean` the extreme dose means.
    """

    p: Float
    is_described: Mask
    change: Float
    ec50: Float
    base: Float
    base_error: Float
    lowest_mean: Float
    highest_mean: Float


@dataclass(frozen=True, kw_only=True)
class CurveFit:
    """The fit of one compound. `weights` (n,) are in the order of the data.

    `ec50` and `loss_ec50` are None where the model has none. `p_value`, `anova_p` and `lack_of_fit_p` are None where
    there is nothing to test, an AICc where it does not exist. `bottom` and `top` of a Hill, 5PL or Brain-Cousens
    curve are its lower and its upper plateau. Those of a gain-loss curve are the level from which it starts and to
    which it returns, and the plateau toward which it rises (or falls). `has_unequal_scatter`: the wells of the dose
    that is farthest from the others scatter more than theirs. `assumes_equal_scatter`: p is significant only if all
    doses scatter equally. `equal_scatter_p` is p if they do: where they evidently do not, it is smaller than p.
    `cautious_p` is an upper bound of p if any dose may have a scatter of its own.
    `has_many_outliers`: a tenth of the wells or more are far from their replicates.
    `is_confounded`: dose and plate cannot be told apart, so nothing was tested. `stimulation` is None without one.
    `covariance` is that of the searched parameters (log10 EC50, ln slope), the left and the right plateau, or of the
    level of a constant; NaN for a parameter at its bound, None for a curve that was asked for. `slope_intervals` are
    profile intervals by name; `crossing` is the absolute EC50.
    `replications`: what new experiments would show, None where nothing was tested.
    """

    model: CurveModel
    aicc: Mapping[CurveModel, float | None]
    params: Mapping[str, ParameterEstimate]
    ec50: LocationEstimate | None
    loss_ec50: LocationEstimate | None
    p_value: float | None
    anova_p: float | None
    lack_of_fit_p: float | None
    sigma: float | None
    rss: float
    doses: tuple[DoseSummary, ...]
    weights: Float
    rising: bool
    has_unequal_scatter: bool = False
    assumes_equal_scatter: bool = False
    equal_scatter_p: float | None = None
    cautious_p: float | None = None
    has_many_outliers: bool = False
    is_confounded: bool = False
    stimulation: StimulationPeak | None = None
    covariance: Float | None = None
    residual_df: float = 0.0
    slope_intervals: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    crossing: LevelCrossing | None = None
    replications: Replications | None = None

    def predict(self, concentration: Float) -> Float:
        """Return the fitted response at concentrations (n,), not negative."""
        concentration = np.asarray(concentration, float)
        if self.model is CurveModel.CONSTANT:
            return np.full(concentration.shape, self.params["level"].estimate)
        if self.model in FAMILIES:
            estimates = {name: parameter.estimate for name, parameter in self.params.items()}
            return predict_family(FAMILIES[self.model], estimates, concentration, rising=self.rising)
        left, right = self.plateaus
        return np.asarray(left + (right - left) * SHAPES[self.model].basis(log_dose(concentration), self.theta))

    @cached_property
    def theta(self) -> Float:
        """The parameters (P,) of the shape as they are searched: log10 EC50s and ln slopes."""
        shape = SHAPES[self.model]
        values = [self.params[name].estimate for name in shape.parameters]
        return np.array([np.log10(v) if k in shape.locations else np.log(v) for k, v in enumerate(values)])

    @cached_property
    def plateaus(self) -> tuple[float, float]:
        """The plateau on the left and that toward which the curve goes.

        The plateaus of a Hill curve are stored by height; a falling one has the higher plateau on the left.
        """
        bottom, top = self.params["bottom"].estimate, self.params["top"].estimate
        return (top, bottom) if self.model is CurveModel.HILL and not self.rising else (bottom, top)
