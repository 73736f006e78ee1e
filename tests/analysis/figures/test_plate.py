"""The picture of a plate: each well in its place, coloured, marked or crossed out."""

from __future__ import annotations

import pytest
from gandl_analysis.figures.plate import plate_format, plate_heatmap
from gandl_shared.schemas.vocabulary import Role

from tests.analysis.example.screen import example_analysis
from tests.analysis.figures.example_wells import positions, titles, well


def test_each_used_well_has_one_title() -> None:
    wells = example_analysis().wells
    expected = [w for w in wells if w.plate == "HRCE-1" and w.role is not Role.EMPTY]
    names = [title.split(":")[0] for title in titles(plate_heatmap(wells, "HRCE-1").inline("f"))]
    assert sorted(names) == sorted(f"{w.plate} {w.well}" for w in expected)


def test_rows_go_down_and_columns_to_the_right() -> None:
    svg = plate_heatmap([well("A01"), well("B01"), well("A12")], "P").inline("f")
    x, y = ({title[2:5]: value for title, value in positions(svg, axis).items()} for axis in ("x", "y"))
    assert x["A01"] == x["B01"] < x["A12"]
    assert y["A01"] == y["A12"] < y["B01"]


def test_a_well_without_a_score_is_crossed_out_and_not_coloured() -> None:
    drawing = plate_heatmap([well("A01"), well("B02", None)], "P")
    assert "1 scored, 1 without a score" in drawing.label
    assert titles(drawing.inline("f"))[1].endswith("no score")
    assert [line.get_marker() for line in drawing.figure.axes[0].lines] == ["x"]


def test_controls_are_marked_by_role() -> None:
    drawing = plate_heatmap([well("A01", role=Role.POSITIVE), well("A02", role=Role.NEGATIVE)], "P")
    assert [line.get_marker() for line in drawing.figure.axes[0].lines] == ["+", "_"]


@pytest.mark.parametrize(
    ("name", "shape"), [("H12", (8, 12)), ("I01", (16, 24)), ("A13", (16, 24)), ("AF48", (32, 48)), ("AG01", (33, 1))]
)
def test_the_smallest_plate_that_fits(name: str, shape: tuple[int, int]) -> None:
    assert plate_format([well("A01"), well(name)]) == shape


def test_a_plate_of_384_wells_has_its_labels() -> None:
    svg = plate_heatmap([well("A01"), well("P24")], "P").inline("f")
    assert all(f">{label}</text>" in svg for label in ("A", "P", "1", "24"))
