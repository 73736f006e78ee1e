"""How curves are fitted and interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gandl_science.dose_response.families.refit import first_model
from gandl_science.dose_response.families.request import CurveRequest
from gandl_science.dose_response.records.inputs import CurveOptions, ResponseScale, ScaleError
from gandl_science.dose_response.records.vocabulary import Null
from gandl_science.dose_response.verdict.interpretation import (
    InterpretationRules,
)

from gandl_analysis.pipeline.curves.choices import curve_request
from gandl_analysis.pipeline.curves.weighting import Weighting

if TYPE_CHECKING:
    # `gandl fit` reads no screen, and each schema takes time to build.
    from gandl_shared.schemas.analysis import AnalysisParameters, NoiseParameters

N_REPLICATIONS = 100
"""The new experiments from which the hit probability is told: its standard error is at most 5 %."""


@dataclass(frozen=True, kw_only=True)
class CurveSettings:
    """How curves are fitted and interpreted.

    `rules.scale` None: the responses of the controls are unknown. `absolute_level` is the response of the absolute
    EC50; None: the midpoint of the controls. `scale_errors` are the errors of the controls by cell line. `unit` is that
    of the concentrations. `seed` decides the simulated null and the bootstrap; nothing else is random.
    """

    options: CurveOptions = field(default_factory=CurveOptions)
    request: CurveRequest = field(default_factory=CurveRequest)
    weighting: Weighting = Weighting.NONE
    rules: InterpretationRules = field(default_factory=InterpretationRules)
    absolute_level: float | None = None
    scale_errors: Mapping[str, ScaleError] = field(default_factory=dict)
    unit: str = "uM"
    screen: str | None = None
    seed: int = 0

    @property
    def fit_options(self) -> CurveOptions:
        """The options of the fit, with the responses of the controls where they are known, and the model asked for."""
        return replace(self.options, scale=self.rules.scale, model=first_model(self.request), level=self.level)

    @property
    def level(self) -> float | None:
        """The response of the absolute EC50; None where none was named and the controls are unknown."""
        scale = self.rules.scale
        midpoint = None if scale is None else scale.midpoint
        return midpoint if self.absolute_level is None else self.absolute_level

    def level_variance(self, cell_line: str) -> float:
        """Return the sampling variance of the level of the absolute EC50 in a cell line."""
        scale, error = self.rules.scale, self.scale_errors.get(cell_line)
        if scale is None or error is None or self.level is None:
            return 0.0
        return error.variance_at(self.level, scale)

    def under_noise(self, noise: NoiseParameters) -> CurveSettings:
        """Return the settings with what is assumed of the noise of wells."""
        options = replace(self.options, null=Null(noise.null), robust=noise.downweight_outliers)
        return replace(self, options=options)

    @property
    def method(self) -> str:
        """The method of the intervals of EC50s, in words."""
        return f"profile likelihood, {100 * self.options.confidence:g} %"


def efficacy_settings(
    *,
    seed: int = 0,
    alpha: float = 0.05,
    screen: str | None = None,
    n_bootstrap: int = 1000,
    n_replications: int = N_REPLICATIONS,
    request: CurveRequest | None = None,
) -> CurveSettings:
    """Return settings for efficacies, where negative controls are at -1 and positive controls at +1."""
    return CurveSettings(
        options=CurveOptions(n_bootstrap=n_bootstrap, n_replications=n_replications),
        request=request or CurveRequest(),
        rules=InterpretationRules(alpha=alpha, scale=ResponseScale()),
        screen=screen,
        seed=seed,
    )


def screen_settings(parameters: AnalysisParameters, name: str) -> CurveSettings:
    """Return the settings that the parameters of a screen ask for. Raises Invalid where its limits contradict."""
    weighting = Weighting(parameters.curves.weights)
    settings = efficacy_settings(
        seed=parameters.seed,
        alpha=parameters.alpha,
        screen=name,
        # New experiments are simulated with equal weights only.
        n_replications=N_REPLICATIONS if weighting is Weighting.NONE else 0,
        request=curve_request(parameters.curves),
    )
    return replace(
        settings.under_noise(parameters.noise), absolute_level=parameters.curves.absolute, weighting=weighting
    )
