"""What the parameters of a screen ask for reaches the fit: as `gandl fit` would do with the same wells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.curves.compounds import fit_compounds, fit_wells
from gandl_analysis.pipeline.curves.settings import CurveSettings, efficacy_settings, screen_settings
from gandl_analysis.pipeline.curves.weighting import Weighting
from gandl_analysis.pipeline.curves.wells import CurveWell
from gandl_science.arrays import Float
from gandl_science.dose_response.records.inputs import CurveOptions
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import WellScore

C = np.repeat(np.geomspace(0.01, 10, 7), 3)
FAST = CurveOptions(n_null=500, n_bootstrap=0, n_replications=0)


def settings_of(**curves: object) -> CurveSettings:
    settings = screen_settings(AnalysisParameters.model_validate({"curves": curves}), "a screen")
    return replace(settings, options=FAST)


def responses() -> Float:
    noise = np.random.default_rng(12).normal(size=C.size)
    return -1 + 2 / (1 + (0.5 / C) ** 1.5) + noise * np.where(C > 2, 0.2, 0.05)


def scores() -> list[WellScore]:
    return [
        WellScore(
            plate="P1",
            well=f"A{k:02d}",
            role="treatment",
            compound="x",
            concentration_um=dose,
            cell_line="U",
            on=y,
            off=0.0,
            efficacy=y,
            n_tiles=3,
        )
        for k, (dose, y) in enumerate(zip(C, responses(), strict=True))
    ]


def screened(settings: CurveSettings, weights: dict[tuple[str, str], float] | None = None) -> Curve:
    return fit_compounds(scores(), settings, {}, weights=weights)[0]


@pytest.mark.parametrize("level", [0.5, -0.5])
def test_the_absolute_ec50_is_where_the_curve_reaches_the_efficacy(level: float) -> None:
    curve = screened(settings_of(absolute=level))
    location, params = curve.absolute_ec50, {name: p.estimate for name, p in curve.params.items()}
    assert curve.absolute_level == level
    assert location is not None and location.relation == "="
    share = (level - params["bottom"]) / (params["top"] - params["bottom"])
    assert location.value == pytest.approx(params["ec50"] * (share / (1 - share)) ** (1 / params["slope"]), rel=1e-4)
    assert location.low is not None and location.high is not None and location.low < location.value < location.high
    assert curve.ec50.value == pytest.approx(screened(settings_of()).ec50.value), "the relative EC50 stays"


@pytest.mark.parametrize("level", [-1, 1, 50, float("nan"), float("inf")])
def test_a_level_beyond_the_controls_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="absolute"):
        settings_of(absolute=level)


def test_the_weights_of_a_screen_act_as_those_of_a_table() -> None:
    settings = settings_of(weights="column")
    weights = {("P1", f"A{k:02d}"): 0.0625 if dose > 2 else 1.0 for k, dose in enumerate(C)}
    table = [
        CurveWell(
            compound="x",
            cell_line="U",
            concentration=well.concentration_um,
            response=well.efficacy,
            plate="P1",
            weight=weights["P1", well.well],
        )
        for well in scores()
    ]
    curve = screened(settings, weights)
    assert curve.params == fit_wells(table, settings)[0].params
    assert curve.params != screened(settings_of()).params


def test_without_wishes_nothing_changes_and_weights_have_no_hit_probability() -> None:
    plain = screen_settings(AnalysisParameters(), "s")
    assert plain == efficacy_settings(screen="s")
    weighted = screen_settings(AnalysisParameters.model_validate({"curves": {"weights": "column"}}), "s")
    assert (weighted.weighting, weighted.options.n_replications) == (Weighting.COLUMN, 0)
