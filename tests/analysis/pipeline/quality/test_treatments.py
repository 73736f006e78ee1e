"""Replicates of a dose are found although a dispenser moved it by a few percent."""

from __future__ import annotations

from gandl_analysis.pipeline.quality.treatments import treatment_doses
from gandl_shared.plates import Role, Well


def well(role: Role, compound: str | None, dose: float | None) -> Well:
    return Well(
        plate="P",
        well="A01",
        role=role,
        compound=compound,
        concentration_um=dose,
        cell_line="U",
        table_row=2,
    )


def test_doses_of_a_compound_within_measurement_are_one() -> None:
    wells = [well(Role.TREATMENT, "X", dose) for dose in (0.9975, 1.0, 1.0125, 3.0)]
    others = [well(Role.TREATMENT, "Y", 1.0125), well(Role.NEGATIVE, "DMSO", 0.98), well(Role.NEGATIVE, None, None)]
    assert treatment_doses([*wells, *others]) == [1.0, 1.0, 1.0, 3.0, 1.0125, 0.98, None]
