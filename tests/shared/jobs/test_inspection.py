"""What a folder of images holds, with all that is open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import NotFound
from gandl_shared.jobs.inspection import Subject, inspect_images
from gandl_shared.plates import PlateMap, parse_plate_map
from gandl_shared.schemas.choice import ImageChoice
from gandl_shared.testing import fake_card

EDGE = 16


def write(folder: Path, *names: str, edge: int = EDGE) -> Path:
    """Write ramps of 12 bit."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        ramp = np.linspace(0, 4000, edge * edge).reshape(edge, edge).astype(np.uint16)
        tifffile.imwrite(folder / name, ramp, photometric="minisblack")
    return folder


def plate_map(plate: str = "P1") -> PlateMap:
    text = f"plate,well,role\n{plate},A01,mock\n{plate},A02,viral\n"
    return parse_plate_map(text, source="map.csv")


def test_a_folder_that_is_ready_has_no_problem(tmp_path: Path) -> None:
    images = write(tmp_path, *(f"P1/A0{well}_s1_w{channel}.tif" for well in (1, 2) for channel in (1, 2)))
    write(tmp_path, "P1/A01_s1_w1_thumb.tif")
    report = inspect_images(Subject(images=images, plate_map=plate_map(), card=fake_card()))
    assert report.layout == "names as of preset gandl"
    assert [(plate.plate, plate.wells, plate.sites) for plate in report.plates] == [("P1", 2, 2)]
    assert [(each.channel, each.input) for each in report.channels] == [
        (str(n), channel.name) for n, channel in enumerate(fake_card().channels, start=1)
    ]
    assert report.channel_order == "by the channels' numbers"
    assert (report.height, report.width, report.pixel_type, report.bits_used) == (EDGE, EDGE, "uint16", 12)
    assert report.channels[0].maximum == 4000
    assert (report.skipped, report.problems) == ({"thumbnails": 1}, ())
    assert report.command == f"gandl screen {images} --platemap MAP.csv --model MODEL.onnx --out results"


def test_everything_that_is_open_is_told_at_once(tmp_path: Path) -> None:
    images = write(tmp_path, *(f"r01c01f01p0{plane}-ch1sk1fk1fl1.tiff" for plane in (1, 2)))
    report = inspect_images(Subject(images=images, plate_map=plate_map(), card=fake_card()))
    assert report.planes == ("1", "2")
    assert [(problem.field, problem.row) for problem in report.problems] == [("well", 3), ("z", None)]
    assert report.command.endswith("--out results --z Z")


def test_a_choice_settles_what_was_open(tmp_path: Path) -> None:
    images = write(tmp_path, *(f"r01c01f01p0{plane}-ch1sk1fk1fl1.tiff" for plane in (1, 2)))
    report = inspect_images(Subject(images=images, choice=ImageChoice(z="max")))
    assert (report.problems, report.reduction, report.sites) == ((), "max", 1)
    assert report.command.endswith("--z max")


def test_another_spelling_of_a_plate_leaves_the_content_to_see(tmp_path: Path) -> None:
    images = write(tmp_path, "P1/A01_s1_w1.tif", "P1/A02_s1_w1.tif")
    report = inspect_images(Subject(images=images, plate_map=plate_map("p1")))
    assert [plate.plate for plate in report.plates] == ["P1"]
    assert [problem.detail.split(";")[0] for problem in report.problems] == [
        "the plate map says 'p1', the images say 'P1'"
    ]


def test_incomplete_fields_and_names_that_do_not_decide(tmp_path: Path) -> None:
    images = write(tmp_path, "P1/A01_s1_wRed.tif", "P1/A01_s1_wBlue.tif", "P1/A02_s1_wRed.tif")
    report = inspect_images(Subject(images=images))
    assert (report.channel_order, report.incomplete_count) == (None, 1)
    assert {problem.field for problem in report.problems} == {"channels", "channel"}
    assert "--channels CHANNELS" in report.command


@pytest.mark.parametrize(
    ("folder", "layout", "content", "choice"),
    [
        ("ImageXpress/SingleChannel", "ImageXpress (MetaXpress)", [("Projection-Mix", 2, 4)], {"z": "projection"}),
        ("ImageXpress_exported/9987_Plate_3420", "ImageXpress (MetaXpress)", None, {}),
        ("ImageXpress_exported/9987_Plate_3434", "ImageXpress (MetaXpress)", [("9987", 2, 4)], {"z": "1"}),
        ("ImageXpress_exported/9987_Plate_3435", "ImageXpress (MetaXpress)", None, {"timepoint": "2"}),
        ("CV8000", "CellVoyager by MeasurementData.mlf", None, {"z": "max"}),
        ("operetta/operetta_plate", "Harmony (Operetta, Opera Phenix) by Index.xml", [("Test_Sample_BALL", 1, 2)], {}),
        ("../cell_painting_field", "Harmony (Operetta, Opera Phenix) by file names", [("", 1, 1)], {}),
    ],
)
def test_exports_of_instruments_are_inspected_and_decoded_without_a_pattern(
    vendor_layouts: Path,
    folder: str,
    layout: str,
    content: list[tuple[str, int, int]] | None,
    choice: dict[str, str],
) -> None:
    report = inspect_images(Subject(images=vendor_layouts / folder, choice=ImageChoice.model_validate(choice)))
    assert (report.layout, report.missing_count) == (layout, 0)
    assert [problem.detail for problem in report.problems] == []
    assert content in (None, [(plate.plate, plate.wells, plate.sites) for plate in report.plates])
    assert report.pixel_type == "uint16"
    assert all(channel.maximum is not None for channel in report.channels)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        inspect_images(Subject(images=tmp_path / "none"))
