"""RxRx images are read as they are published: plates by experiment, stains by the publisher, incomplete sites told."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import BadInput, Invalid
from gandl_shared.jobs import Subject, inspect_images
from gandl_shared.plates import (
    ModelInput,
    Role,
    find_table,
    plate_inventory,
    plate_map_of_names,
    read_plate_map,
    survey_images,
)
from gandl_shared.plates.layouts import list_folder
from gandl_shared.plates.layouts.rxrx import cell_type, read_rxrx

from tests.shared.plates.layouts.folders import touch
from tests.shared.plates.map_table.published.tables import small_rxrx19a, write

FIVE = tuple(ModelInput(name=name) for name in ("DNA", "ER", "actin", "RNA", "Golgi"))


def names(well: str, site: int, channels: str, folder: str = "HRCE-1/Plate1") -> list[str]:
    return [f"{folder}/{well}_s{site}_w{channel}.png" for channel in channels]


def stains(folder: Path) -> list[str | None]:
    return [channel.name for channel in plate_inventory(folder, None, None).channels]


@pytest.mark.parametrize("below", ["", "HRCE-1", "HRCE-1/Plate1"])
def test_the_folder_may_be_all_one_experiment_or_one_plate(tmp_path: Path, below: str) -> None:
    touch(tmp_path, *names("AA02", 2, "12345"))
    inventory = plate_inventory(tmp_path / below, None, None)
    assert inventory.layout == "RxRx (Recursion)"
    assert {(file.plates[0], file.well, file.site) for file in inventory.files} == {("HRCE-1_1", "AA02", "2")}
    assert [file.channel for file in inventory.files] == list("12345")


def test_the_fifth_channel_is_named_by_the_data_set(tmp_path: Path) -> None:
    assert stains(touch(tmp_path / "a", *names("AA02", 1, "12345")))[4] == "WGA"
    six = touch(tmp_path / "b", *names("B02", 1, "123456", "U2OS-01/Plate1"))
    assert stains(six)[4:] == ["MitoTracker", "WGA"]
    assert stains(touch(tmp_path / "c", *names("B02", 1, "12345", "U2OS-01/Plate1")))[4] is None


def test_other_names_are_no_rxrx(tmp_path: Path) -> None:
    assert read_rxrx(list_folder(touch(tmp_path, "P1/A01_s1_w1.png", "HRCE-1/Plate1/A01_s1_w1.tif"))) is None
    assert cell_type("HUVEC-01") == "HUVEC"


@pytest.fixture
def rxrx19a(tmp_path: Path) -> Path:
    wells = ["AA02", "AA03", "AA04", "AB02", "AB03", "AC02", "AD02", "AD03", "AD04"]
    for well in wells:
        touch(tmp_path / "images", *names(well, 1, "12345"))
    touch(tmp_path / "images", *names("AD02", 2, "123"))
    other = small_rxrx19a("VERO-1").partition("\n")[2]
    write(tmp_path / "metadata.csv", small_rxrx19a() + other)
    return tmp_path


def test_the_metadata_say_what_the_wells_are(rxrx19a: Path) -> None:
    table = find_table(rxrx19a / "images")
    assert table is not None
    survey = survey_images(rxrx19a / "images", read_plate_map(table), inputs=FIVE)
    assert survey.channels.tokens == ("1", "2", "3", "4", "5")
    assert survey.channels.reason == "by the names of the model's channels and stains"
    assert [len(site.names) for site in survey.sites] == [5, 5, 5, 5, 5, 5, 3, 5, 5]
    # One site lacks two channels, which is told and does not stop the screen.
    assert [problem.field for problem in survey.incomplete] == ["channel"]
    assert "site 2 of well AD02 of plate HRCE-1_1 lacks channel 4, 5" in survey.incomplete[0].detail
    assert survey.plate_map.plates == ("HRCE-1_1",)
    notes = " ".join(survey.plate_map.notes)
    assert "1 of 2 plates of metadata.csv have images here" in notes
    assert "3 wells have no image and are left out" in notes


def test_an_inspection_shows_the_part_that_is_there(rxrx19a: Path) -> None:
    table = rxrx19a / "metadata.csv"
    plate_map = read_plate_map(table, positive=("mock",))
    subject = Subject(images=rxrx19a / "images", plate_map=plate_map, plate_map_name="metadata.csv", positive=("mock",))
    report = inspect_images(subject)
    assert [(plate.plate, plate.wells, plate.sites) for plate in report.plates] == [("HRCE-1_1", 8, 9)]
    assert (report.problems, report.incomplete_count) == ((), 1)
    assert "--positive-control mock" in report.command


def test_a_cell_line_without_its_controls_is_refused(rxrx19a: Path) -> None:
    for path in (rxrx19a / "images").rglob("AB*.png"):
        path.unlink()
    with pytest.raises(Invalid) as error:
        survey_images(rxrx19a / "images", read_plate_map(rxrx19a / "metadata.csv"), inputs=FIVE)
    assert "cell line HRCE has images, but none of its negative_control wells has any" in str(error.value.problems[0])


def test_images_of_no_well_of_the_metadata_are_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "metadata.csv", small_rxrx19a())
    images = touch(tmp_path / "images", *names("AA02", 1, "12345", "HRCE-9/Plate1"))
    with pytest.raises(Invalid, match="the images are of the plates HRCE-9_1, Plate1"):
        survey_images(images, read_plate_map(table), inputs=FIVE)


def test_names_alone_tell_the_cells(tmp_path: Path) -> None:
    touch(tmp_path, *names("B02", 1, "123456", "U2OS-01/Plate2"))
    (well,) = plate_map_of_names(tmp_path).wells
    assert (well.plate, well.well, well.cell_line, well.experiment) == ("U2OS-01_2", "B02", "U2OS", "U2OS-01")
    assert (well.role, well.compound) == (Role.TREATMENT, None)
    with pytest.raises(BadInput, match="give --platemap"):
        plate_map_of_names(touch(tmp_path / "P1", "A01.tif"))


def test_the_sample_of_rxrx1_is_read_without_mitotracker(rxrx1_sample: Path) -> None:
    images = rxrx1_sample / "images"
    survey = survey_images(images, plate_map_of_names(images), inputs=FIVE)
    assert survey.channels.tokens == ("1", "2", "3", "4", "6")
    assert {well.cell_line for well in survey.plate_map.wells} == {"HEPG2", "HUVEC", "RPE", "U2OS"}
    complete = [site for site in survey.sites if site.is_complete]
    assert (len(survey.sites), len(complete), len(survey.incomplete)) == (36, 18, 18)
