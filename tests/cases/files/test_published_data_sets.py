"""The plate of the cases in the form of RxRx19a gives the answer of the plate: `gandl screen` takes it as it is."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from gandl_shared.imaging import read_site
from gandl_shared.plates import read_plate_map, survey_images
from PIL import Image

from tests.cases import plates
from tests.cli.command_line import Gandl
from tests.shared.plates.map_table.published.tables import MOCK, VIRAL, drug, rxrx19a, rxrx19a_rows, write

MODEL = Path(__file__).parents[3] / "models" / "gandl-bbbc013-64.onnx"


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """The plate as plate 3 of experiment HRCE-2; one field of one well lacks its second channel."""
    folder = tmp_path / "rxrx19a" / "images" / "HRCE-2" / "Plate3"
    folder.mkdir(parents=True)
    for well, field in plates.fields().items():
        for channel in (0, 1):
            Image.fromarray(field[channel]).save(folder / f"{well}_s1_w{channel + 1}.png")
    first = plates.design()[0].well
    Image.fromarray(plates.fields()[first][0]).save(folder / f"{first}_s2_w1.png")
    contents = {"positive_control": MOCK, "negative_control": VIRAL}
    rows = [
        rxrx19a_rows(
            well.well,
            contents.get(well.role) or drug("CmpA", f"{well.dose_um:g}"),
            experiment="HRCE-2",
            plate=3,
        )
        for well in plates.design()
    ]
    absent = rxrx19a_rows("AF48", VIRAL, experiment="VERO-1")
    write(tmp_path / "rxrx19a/metadata.csv", rxrx19a(*rows, absent, rxrx19a_rows("AF47", MOCK, experiment="VERO-1")))
    return tmp_path / "rxrx19a"


def test_a_screen_needs_neither_plate_map_nor_pattern(gandl: Gandl, data_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = gandl("screen", data_set / "images", "--model", MODEL, "--channels", "1,2", "--out", out)
    assert ended.code == 0, ended.err
    (curve,) = csv.DictReader((out / "dose_response.csv").open())
    assert (curve["compound"], curve["cell_line"], curve["verdict"]) == ("CmpA", "HRCE", "active")
    assert 0.377 < float(curve["ec50_um"]) < 1.28
    wells = list(csv.DictReader((out / "wells.csv").open()))
    assert {row["plate"] for row in wells} == {"HRCE-2_3"} and len(wells) == 30
    assert {row["Metadata_experiment"] for row in wells} == {"HRCE-2"}
    assert "1 of 2 plates of metadata.csv have images here" in " ".join(ended.err.split())


def test_the_pixels_are_those_of_the_plate(data_set: Path) -> None:
    survey = survey_images(data_set / "images", read_plate_map(data_set / "metadata.csv"))
    complete = {site.well: read_site(site.stacks) for site in survey.sites if site.is_complete}
    assert complete.keys() == plates.fields().keys()
    for well, image in complete.items():
        np.testing.assert_array_equal(image, plates.fields()[well])
    assert len(survey.incomplete) == 1
