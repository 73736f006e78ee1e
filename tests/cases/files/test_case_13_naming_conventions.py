"""Names of further instruments, names that count from 0, and wells that differ from the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import BadInput, Invalid
from gandl_shared.jobs import plan_screen
from gandl_shared.models import ModelCard
from gandl_shared.plates import find_sites, parse_well, read_plate_map
from gandl_shared.schemas.choice import ImageChoice, MissingChannels
from gandl_shared.schemas.screen import ScreenRequest
from gandl_shared.testing import fake_card

from tests.cases.plates import fields, write_images, write_plate_map, write_tiff
from tests.cases.surveys import assert_same_as_written, images_by_well


def zero_based(well: str, channel: int) -> str:
    row, column = parse_well(well)
    return f"P1/Row{row - 1}_Col{column - 1}_s1_w{channel + 1}.tif"


def test_rows_and_columns_from_zero_are_told_and_never_shifted(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", zero_based)
    wells = read_plate_map(write_plate_map(tmp_path / "platemap.csv"))
    with pytest.raises(
        BadInput, match=r"count rows and columns from 0; give --pattern, such as Row\{row0\}_Col\{column0\}"
    ):
        find_sites(images, wells)
    with pytest.raises(BadInput, match="has a row or column 0, so its names count from 0"):
        find_sites(images, wells, "Row{row}_Col{column}_s{site}_w{channel}.tif")
    sites = find_sites(images, wells, "Row{row0}_Col{column0}_s{site}_w{channel}.tif")
    assert {site.well for site in sites} == set(fields())


def test_yokogawa_names_are_read(tmp_path: Path) -> None:
    name = "P1/P1C01_{}_T0001F001L01A0{}Z01C0{}.tif"
    assert_same_as_written(
        images_by_well(write_images(tmp_path / "images", lambda well, c: name.format(well, c + 1, c + 1)))
    )


def test_numbered_wells_ask_for_the_format_of_the_plate(tmp_path: Path) -> None:
    name = "P1/exp--W000{:02d}--P00001--Z00000--T00000--{}.tif"
    images = write_images(
        tmp_path / "images",
        lambda well, c: name.format((parse_well(well)[0] - 1) * 12 + parse_well(well)[1], ("GFP", "DNA")[c]),
    )
    wells = read_plate_map(write_plate_map(tmp_path / "platemap.csv"))
    with pytest.raises(BadInput, match=r"the names number the wells; .* --pattern, such as .*--W\{number96\}"):
        find_sites(images, wells)
    pattern = "{any}--W{number96}--P{site}--Z{plane}--T{time}--{channel}.tif"
    assert {site.well for site in find_sites(images, wells, pattern, channels=("GFP", "DNA"))} == set(fields())


def planned(folder: Path, card: ModelCard, **choices: object) -> int:
    """Plan a screen of the folder and return how many sites it has."""
    wells = read_plate_map(write_plate_map(folder / "platemap.csv"))
    request = ScreenRequest.model_validate({"images": "images", "plate_map": "platemap.csv", **choices})
    plan = plan_screen(request, images=folder / "images", plate_map=wells, card=card, model_id="m")
    return len(plan.sites)


def test_a_well_of_another_size_is_named(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images")
    for c in range(2):
        write_tiff(images / f"P1/A02_s1_w{c + 1}.tif", fields()["A02"][c].repeat(2, 0).repeat(2, 1))
    with pytest.raises(Invalid, match=r"the images of well A02 of plate P1 have 256×256 pixels, the others 128×128"):
        planned(tmp_path, fake_card())
    assert planned(tmp_path, fake_card(), mixed_sizes=True) == len(fields())


def test_a_field_without_a_channel_is_refused_or_parked(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images")
    (images / "P1/A02_s1_w2.tif").unlink()
    with pytest.raises(
        Invalid, match="site 1 of well A02 of plate P1 lacks channel 2; add the file, or give --missing"
    ):
        planned(tmp_path, fake_card())
    assert planned(tmp_path, fake_card(), missing="skip") == len(fields())
    wells = read_plate_map(tmp_path / "platemap.csv")
    sites = find_sites(images, wells, choice=ImageChoice(missing=MissingChannels.SKIP))
    assert [site.well for site in sites if not site.is_complete] == ["A02"]


def test_blanks_umlauts_and_capitals_in_names(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"Platte 7 (größer) [A]/P1/{well}_s1_w{c + 1}.TIFF")
    assert_same_as_written(images_by_well(images))
