"""A plate map as a grid: the format of the plate, roles, and the strength of each dose."""

from __future__ import annotations

from gandl_analysis.pages.forms.plate_grids import plate_grids
from gandl_shared.plates import Role, Well


def well(name: str, role: Role, dose: float | None = None, compound: str | None = None) -> Well:
    return Well(
        plate="P1", well=name, role=role, compound=compound, concentration_um=dose, cell_line="U2OS", table_row=2
    )


def test_doses_of_a_compound_are_shades_from_its_lowest_to_its_highest() -> None:
    doses = {"A03": 0.1, "A04": 1.0, "A05": 10.0, "A06": 0.0}
    wells = [well("A01", Role.POSITIVE), *(well(name, Role.TREATMENT, dose, "X") for name, dose in doses.items())]
    (grid,) = plate_grids([*wells, well("P24", Role.EMPTY)])
    assert (len(grid.rows), grid.columns) == (16, 24)
    assert [grid.wells[1, column].share for column in (1, 3, 4, 5, 6)] == [100, 18, 59, 100, 18]
    assert grid.wells[1, 4].text == "A04: X 1 µM, U2OS"
    assert grid.roles == {Role.TREATMENT: 4, Role.POSITIVE: 1, Role.EMPTY: 1}


def test_a_small_plate_has_the_format_of_96_wells() -> None:
    (grid,) = plate_grids([well("H12", Role.NEGATIVE)])
    assert (grid.rows[-1], grid.columns) == ("H", 12)
