"""What goes into a curve fit and what comes out: frozen values, no computation but `CurveFit.predict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gandl_science.dose_response.models import GAIN_LOSS, HILL, Floats, Shape, log_dose

CONSTANT = "constant"
SHAPES: Mapping[str, Shape] = {"hill": HILL, "gain_loss": GAIN_LOSS}
THETA_NAMES: Mapping[str, tuple[str, ...]] = {
    "hill": ("ec50", "slope"),
    "gain_loss": ("ec50", "loss_ec50", "slope", "loss_slope"),
}


@dataclass(frozen=True)
class DoseResponseData:
    """Wells of one compound: concentration (n,), any unit, not negative, and response (n,), any unit; both finite."""

    concentration: Floats
    response: Floats

    def __post_init__(self) -> None:
        concentration, response = np.asarray(self.concentration, float), np.asarray(self.response, float)
        if concentration.shape != response.shape or concentration.ndim != 1 or concentration.size == 0:
            raise ValueError(f"one response a concentration, got {concentration.shape} and {response.shape}")
        if not (np.isfinite(concentration).all() and np.isfinite(response).all() and (concentration >= 0).all()):
            raise ValueError("concentrations are finite and not negative, responses are finite: leave others out")
        object.__setattr__(self, "concentration", concentration)
        object.__setattr__(self, "response", response)


@dataclass(frozen=True)
class CurveOptions:
    """`level` of intervals; slope bounds; `margin` decades EC50 may lie beyond the tested range; size of the simulated
    null; `n_bootstrap` resamples of each dose (0: none); `robust`: downweight gross outliers; `alpha` decides between
    constant and Hill by the activity test where AICc does not exist (n < 7)."""

    level: float = 0.95
    slope_low: float = 0.3
    slope_high: float = 8.0
    margin: float = 1.0
    n_null: int = 10_000
    n_bootstrap: int = 0
    robust: bool = True
    alpha: float = 0.05


@dataclass(frozen=True)
class Parameter:
    """An estimate; `se` is None where it cannot be had (at a bound, no degrees of freedom)."""

    estimate: float
    se: float | None
    at_bound: bool


@dataclass(frozen=True)
class Location:
    """A location parameter in the unit of the doses: estimate and profile interval, None on an open side."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class DoseSummary:
    """A tested dose: weighted mean of its wells, their number, and the bootstrap interval of the mean if asked for."""

    concentration: float
    mean: float
    n_wells: int
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CurveFit:
    """What was found about one compound. `weights` (n,) are in the order of the data. `ec50` and `loss_ec50` are None
    where the chosen model has none. `p_value` is None where nothing can be tested; so are `anova_p`, `lack_of_fit_p`,
    and an AICc that does not exist. `bottom`, `top` of a Hill curve are its lower and upper plateau; of gain-loss the
    level it leaves (and falls back to) and the plateau it makes for."""

    model: str
    aicc: Mapping[str, float | None]
    params: Mapping[str, Parameter]
    ec50: Location | None
    loss_ec50: Location | None
    p_value: float | None
    anova_p: float | None
    lack_of_fit_p: float | None
    sigma: float | None
    rss: float
    doses: tuple[DoseSummary, ...]
    weights: Floats
    rising: bool

    def predict(self, concentration: Floats) -> Floats:
        """The fitted response at concentrations (n,), not negative."""
        concentration = np.asarray(concentration, float)
        if self.model == CONSTANT:
            return np.full(concentration.shape, self.params["level"].estimate)
        shape = SHAPES[self.model]
        values = [self.params[name].estimate for name in THETA_NAMES[self.model]]
        theta = np.array([np.log10(v) if k in shape.locations else np.log(v) for k, v in enumerate(values)])
        left, right = self.params["bottom"].estimate, self.params["top"].estimate
        if self.model == "hill" and not self.rising:
            left, right = right, left
        return np.asarray(left + (right - left) * shape.basis(log_dose(concentration), theta))
