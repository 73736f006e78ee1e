"""Figures as files: each in its form, equal for equal results, and a clear answer where one must be chosen."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from gandl_analysis.formats.exports.catalog import export_of
from gandl_analysis.formats.exports.pictures import PICTURES
from gandl_analysis.formats.exports.source import ExportChoice
from gandl_shared.errors import Invalid, NotFound
from PIL import Image

from tests.analysis.formats.exports.hostile import EVERYTHING, FORMULA, hostile_source

SOURCE = hostile_source()
ONE = ExportChoice(compound=FORMULA, cell_line="HRCE")


def picture(name: str, choice: ExportChoice) -> bytes:
    content = export_of(name).of(SOURCE, choice)
    assert isinstance(content, bytes)
    return content


def test_a_curve_is_drawn_in_each_form() -> None:
    assert ElementTree.fromstring(picture("curve.svg", ONE)).tag.endswith("svg")
    assert Image.open(io.BytesIO(picture("curve.png", ONE))).format == "PNG"
    pdf = picture("curve.pdf", ONE)
    assert pdf.startswith(b"%PDF-")
    assert pdf == picture("curve.pdf", ONE)


def texts_of(name: str, choice: ExportChoice) -> str:
    return " ".join(ElementTree.fromstring(picture(name, choice)).itertext())


def test_a_plate_in_a_file_names_itself_and_its_colours() -> None:
    texts = texts_of("plate.svg", ExportChoice(plate="HRCE-1"))
    assert "HRCE-1: efficacy of the wells" in texts
    for entry in ("efficacy −1", "efficacy +1", "empty", "positive control", "no score"):
        assert entry in texts


@pytest.mark.parametrize("name", ["controls", "e2_plane"])
def test_a_picture_of_a_cell_line_names_it_and_its_marks(name: str) -> None:
    texts = texts_of(f"{name}.svg", ExportChoice(cell_line="HRCE"))
    assert "HRCE: " in texts
    assert "positive control" in texts
    assert "negative control" in texts


def test_a_picture_of_a_part_names_what_can_be_chosen() -> None:
    with pytest.raises(Invalid, match=r"choose one of 8 with \?plate=, such as HRCE-1"):
        picture("plate.svg", EVERYTHING)
    with pytest.raises(Invalid, match=r"\?cell_line="):
        picture("controls.svg", EVERYTHING)
    with pytest.raises(NotFound, match="no axis between two cell lines"):
        picture("e2_c2_plane.svg", EVERYTHING)


def test_a_choice_that_a_picture_does_not_take_is_refused() -> None:
    with pytest.raises(Invalid, match=r"plate\.svg does not take compound"):
        picture("plate.svg", ExportChoice(plate="HRCE-1", compound="X"))


@pytest.mark.parametrize("name", [picture.name for picture in PICTURES if picture.choices == {"cell_line"}])
def test_pictures_of_a_cell_line_are_drawn(name: str) -> None:
    assert picture(f"{name}.svg", ExportChoice(cell_line="HRCE")).startswith(b"<?xml")
