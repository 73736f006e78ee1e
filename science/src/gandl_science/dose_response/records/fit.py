"""The results of a curve fit, as frozen values. The only computation is `CurveFit.predict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gandl_science.arrays import Float, Mask
from gandl_science.dose_response.families.shapes import BRAIN_COUSENS, FIVE_PARAMETER, FamilyShape, predict_family
from gandl_science.dose_response.models import GAIN_LOSS, HILL, Shape, log_dose
from gandl_science.dose_response.records.vocabulary import CurveModel

SHAPES: Mapping[CurveModel, Shape] = {CurveModel.HILL: HILL, CurveModel.GAIN_LOSS: GAIN_LOSS}
"""The shape of each model that the solver of many curves has; a constant has none."""

FAMILIES: Mapping[CurveModel, FamilyShape] = {
    CurveModel.FIVE_PARAMETER: FIVE_PARAMETER,
    CurveModel.BRAIN_COUSENS: BRAIN_COUSENS,
}
"""The shape of each model that is fitted only where a user asks for it."""


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
