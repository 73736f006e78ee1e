"""Potencies of a screen relative to a reference: the ratio of the truth, and a reference that is not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.curves.choices import check_curves
from gandl_analysis.pipeline.curves.compounds import fit_wells
from gandl_analysis.pipeline.curves.potency import screen_ratios
from gandl_analysis.pipeline.curves.settings import screen_settings
from gandl_analysis.pipeline.curves.wells import CurveWell
from gandl_science.dose_response.records.inputs import CurveOptions
from gandl_shared.errors import Invalid
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import CurveChoice

PARAMETERS = AnalysisParameters(curves=CurveChoice(reference=" Paclitaxel "))
C = np.repeat(np.geomspace(0.01, 10, 8), 3)


def wells(compound: str, ec50: float | None, seed: int) -> list[CurveWell]:
    effect = np.zeros(C.size) if ec50 is None else 2 / (1 + (ec50 / C) ** 1.5)
    responses = -1 + effect + np.random.default_rng(seed).normal(size=C.size) * 0.05
    return [
        CurveWell(compound=compound, cell_line="U", concentration=c, response=y, plate="P1")
        for c, y in zip(C, responses, strict=True)
    ]


def test_a_screen_relates_its_compounds_to_the_reference() -> None:
    settings = screen_settings(PARAMETERS, "s")
    settings = replace(settings, options=CurveOptions(n_null=500, n_bootstrap=0, n_replications=0))
    table = wells("Paclitaxel", 1.0, 1) + wells("fourfold", 0.25, 2) + wells("inert", None, 3)
    curves = fit_wells(table, settings)
    ratios = screen_ratios(PARAMETERS.curves, curves)
    assert ratios is not None
    assert [(ratio.reference, ratio.compound) for ratio in ratios] == [
        ("Paclitaxel", "fourfold"),
        ("Paclitaxel", "inert"),
    ]
    potency, inert = ratios
    assert potency.low is not None and potency.high is not None and potency.low < 4 < potency.high
    assert potency.ratio == pytest.approx(4, rel=0.15)
    assert inert.ratio is None and "inert has no sigmoid curve (" in inert.reason
    assert screen_ratios(CurveChoice(), curves) is None


def plate_well(role: Role, compound: str) -> Well:
    return Well(
        plate="P1",
        well="A1",
        role=role,
        compound=compound,
        concentration_um=1.0,
        cell_line="U",
        table_row=2,
        metadata={},
    )


def test_the_reference_is_a_treatment_of_the_plate_map() -> None:
    check_curves(PARAMETERS, [plate_well(Role.TREATMENT, "Paclitaxel")])
    for well in (plate_well(Role.POSITIVE, "Paclitaxel"), plate_well(Role.TREATMENT, "paclitaxel")):
        with pytest.raises(Invalid, match="curves.reference: no treatment of the plate map is named ' Paclitaxel '"):
            check_curves(PARAMETERS, [well])


def test_weights_and_a_reference_exclude_each_other() -> None:
    with pytest.raises(ValueError, match=r"curves\.reference and curves\.weights exclude each other"):
        AnalysisParameters.model_validate({"curves": {"weights": "column", "reference": "A"}})
