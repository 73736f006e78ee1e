"""`metadata.csv` of RxRx19a and RxRx1 becomes a plate map, and what is wrong in it is named by row and column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from gandl_shared.errors import BadInput, InvalidPlateMap
from gandl_shared.plates import EVERY_CONTROL, PlateMap, Role, read_plate_map

from tests.shared.plates.map_table.published.tables import (
    IRRADIATED,
    MOCK,
    VIRAL,
    drug,
    rxrx1,
    rxrx19a,
    rxrx19a_rows,
    small_rxrx19a,
    write,
)


def read(tmp_path: Path, text: str, *, positive: Sequence[str] = (), controls: bool = True) -> PlateMap:
    return read_plate_map(write(tmp_path / "metadata.csv", text), controls=controls, positive=positive)


def roles(plate_map: PlateMap) -> dict[str, Role]:
    return {well.well: well.role for well in plate_map.wells}


def test_conditions_become_roles_and_doses_are_in_micromolar(tmp_path: Path) -> None:
    plate_map = read(tmp_path, small_rxrx19a())
    assert plate_map.is_published
    assert plate_map.plates == ("HRCE-1_1",)
    assert roles(plate_map)["AA02"] is Role.POSITIVE
    assert roles(plate_map)["AB02"] is Role.NEGATIVE
    assert roles(plate_map)["AC02"] is Role.EMPTY
    drug_well = next(well for well in plate_map.wells if well.well == "AD03")
    assert (drug_well.role, drug_well.compound) == (Role.TREATMENT, "Remdesivir (GS-5734)")
    assert (drug_well.concentration_um, drug_well.cell_line) == (1.0, "HRCE")
    assert drug_well.experiment == "HRCE-1"
    assert drug_well.metadata["SMILES"] == "C1=CC=CC=C1"
    assert len(plate_map.wells) == 12
    assert any("1 well of the condition irradiated" in note for note in plate_map.notes)


@pytest.mark.parametrize(
    ("positive", "mock", "irradiated"),
    [
        (("mock",), Role.POSITIVE, Role.EMPTY),
        (("irradiated",), Role.EMPTY, Role.POSITIVE),
        (("UV Inactivated SARS-CoV-2", "Mock"), Role.POSITIVE, Role.POSITIVE),
        (EVERY_CONTROL, Role.POSITIVE, Role.POSITIVE),
    ],
)
def test_the_positive_control_is_chosen(tmp_path: Path, positive: Sequence[str], mock: Role, irradiated: Role) -> None:
    by_well = roles(read(tmp_path, small_rxrx19a(), positive=positive))
    assert (by_well["AA02"], by_well["AC02"]) == (mock, irradiated)


def test_active_virus_is_no_positive_control(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give mock, irradiated or both"):
        read(tmp_path, small_rxrx19a(), positive=("viral",))


def test_plates_of_two_experiments_stay_apart(tmp_path: Path) -> None:
    other = small_rxrx19a("VERO-1").partition("\n")[2]
    plate_map = read(tmp_path, small_rxrx19a() + other)
    assert plate_map.plates == ("HRCE-1_1", "VERO-1_1")
    assert {well.cell_line for well in plate_map.wells} == {"HRCE", "VERO"}


def test_cells_without_virus_that_have_a_compound_are_no_control(tmp_path: Path) -> None:
    toxic = rxrx19a_rows("AE02", "Mock,Remdesivir (GS-5734),1.0,C")
    blank = rxrx19a_rows("AE03", ",,,")
    plate_map = read(tmp_path, small_rxrx19a() + "\n".join([*toxic, *blank]) + "\n")
    assert roles(plate_map)["AE02"] is roles(plate_map)["AE03"] is Role.EMPTY
    assert any("1 well with a compound and without active virus" in note for note in plate_map.notes)
    assert any("1 well without a condition" in note for note in plate_map.notes)


def test_a_data_frame_that_wrote_numbers_as_floats_is_read(tmp_path: Path) -> None:
    text = small_rxrx19a().replace(",HRCE-1,1,", ",HRCE-1,1.0,").replace(",,,\n", ",,nan,\n")
    assert read(tmp_path, text).plates == ("HRCE-1_1",)


GOOD = rxrx19a_rows("AA02", MOCK) + rxrx19a_rows("AB02", VIRAL)
FAULTS = {
    "doubled site id": (rxrx19a(GOOD, GOOD[:1]), "row 10, site_id: site_id 'HRCE-1_1_AA02_1' is in row 2 too"),
    "unknown site id": (rxrx19a(GOOD).replace("HRCE-1_1_AA02_1,", "HRCE-1_2_AA02_1,"), "row 2, site_id"),
    "no well": (rxrx19a(GOOD).replace(",AA02,1,Mock", ",ZZZ2,1,Mock"), "'ZZZ2' is no well"),
    "two contents": (rxrx19a(GOOD).replace(",2,Mock", ",2,Active SARS-CoV-2"), "'Active SARS-CoV-2' here and 'Mock'"),
    "unknown condition": (rxrx19a(GOOD, rxrx19a_rows("AC02", "Sick,,,")), "'Sick' is no condition of RxRx19a"),
    "no number": (rxrx19a(GOOD, rxrx19a_rows("AC02", drug("A", "high"))), "'high' is no concentration in µM"),
    "no dose": (rxrx19a(GOOD, rxrx19a_rows("AC02", drug("A", ""))), "'A' has no concentration above 0"),
    "a dose of nothing": (rxrx19a(GOOD, rxrx19a_rows("AC02", drug("", "1"))), "1 µM of no compound"),
    "no cell type": (rxrx19a(GOOD).replace(",HRCE,", ",,"), "the cell type is empty"),
    "no column": (rxrx19a(GOOD).replace("cell_type", "cells"), "the column 'cell_type' of RxRx19a is missing"),
    "no ids": (rxrx19a(GOOD).replace("site_id", "id"), "the column 'site_id' of RxRx19a is missing"),
}


@pytest.mark.parametrize(("text", "words"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidPlateMap) as error:
        read(tmp_path, text)
    assert any(words in str(problem) for problem in error.value.problems), error.value.problems
    # One line is all that a terminal shows of a single problem.
    assert error.value.problems[0].detail in str(error.value)


def test_many_faults_of_a_kind_are_counted(tmp_path: Path) -> None:
    rows = [row for i in range(30) for row in rxrx19a_rows(f"A{i + 1:02d}", IRRADIATED, sites=(1,))]
    with pytest.raises(InvalidPlateMap) as error:
        read(tmp_path, rxrx19a(GOOD, rows, rows))
    assert len(error.value.problems) == 21
    assert any("10 more rows whose site_id stands twice" in str(problem) for problem in error.value.problems)


def test_rxrx1_names_its_controls_and_has_no_doses(tmp_path: Path) -> None:
    text = rxrx1(
        ("B02", "negative_control", "EMPTY"), ("B03", "positive_control", "s14484"), ("B04", "treatment", "s1174")
    )
    plate_map = read(tmp_path, text)
    assert roles(plate_map) == {"B02": Role.NEGATIVE, "B03": Role.POSITIVE, "B04": Role.TREATMENT}
    last = plate_map.wells[-1]
    assert (last.compound, last.concentration_um, last.cell_line) == ("s1174", None, "HEPG2")
    assert plate_map.wells[0].compound is None
    with pytest.raises(InvalidPlateMap) as error:
        read(tmp_path, rxrx1(("B02", "control", "EMPTY"), ("B03", "treatment", "")), controls=False)
    assert [str(problem) for problem in error.value.problems] == [
        "metadata.csv, row 2, well_type: 'control' is no type of RxRx1; it is negative_control, positive_control, "
        "treatment",
        "metadata.csv, row 4, sirna: a treatment needs the name of its siRNA",
    ]
