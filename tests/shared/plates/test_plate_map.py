"""A plate map is read whole, and every problem of it is named with its row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from gandl_shared.errors import InvalidPlateMap, NotFound
from gandl_shared.plates import COLUMN_NAMES, ROLE_NAMES, Role, parse_plate_map, read_plate_map

HEADER = "plate,well,role,compound,concentration_um,cell_line"
CONTROLS = "P,A01,positive_control,,,U2OS\nP,A02,negative_control,,,U2OS"


def parse(*lines: str, header: str = HEADER) -> object:
    return parse_plate_map("\n".join([header, *lines]), source="map.csv")


def test_reads_bbbc013(bbbc013: Path) -> None:
    plate_map = read_plate_map(bbbc013 / "platemap.csv")
    roles = [w.role for w in plate_map.wells]
    assert (len(roles), roles.count(Role.NEGATIVE), roles.count(Role.POSITIVE)) == (96, 16, 8)
    first = plate_map.wells[0]
    assert first.metadata == {
        "channel_1_gfp": "Channel1-01-A-01.tif",
        "channel_2_dna": "Channel2-01-A-01.tif",
    }


@pytest.mark.parametrize(
    ("line", "row", "field", "words"),
    [
        ("P,B01,helper,,,U2OS", 4, "role", "unknown role 'helper'"),
        ("P,B01,treatment,Drug,-3,U2OS", 4, "concentration_um", "-3 is no concentration"),
        ("P,B01,treatment,Drug,lots,U2OS", 4, "concentration_um", "'lots' is not a number"),
        ("P,B01,treatment,Drug,nan,U2OS", 4, "concentration_um", "nan"),
        ("P,B01,treatment,Drug,,U2OS", 4, "concentration_um", "needs a concentration"),
        ("P,B01,treatment,,3,U2OS", 4, "compound", "needs a compound"),
        ("P,B99x,treatment,Drug,3,U2OS", 4, "well", "'B99x' is no well"),
        ("P,A01,treatment,Drug,3,U2OS", 4, "well", "is in rows 2 and 4"),
        (",B01,treatment,Drug,3,U2OS", 4, "plate", "no plate name"),
        ("P,B01,treatment,Drug,3,VERO", None, "role", "no positive_control well for cell line VERO"),
    ],
)
def test_each_bad_row_is_named(line: str, row: int | None, field: str, words: str) -> None:
    with pytest.raises(InvalidPlateMap) as caught:
        parse(*CONTROLS.split("\n"), line)
    problem = caught.value.problems[0]
    assert (problem.file, problem.row, problem.field) == ("map.csv", row, field)
    assert words in problem.detail


def test_all_problems_come_at_once() -> None:
    with pytest.raises(InvalidPlateMap) as caught:
        parse(*CONTROLS.split("\n"), "P,B01,what,,,U2OS", "P,B02,treatment,D,-1,U2OS", "P,B03,treatment,D,x,U2OS")
    assert [p.row for p in caught.value.problems] == [4, 5, 6]


def test_a_missing_column_says_what_is_there() -> None:
    with pytest.raises(InvalidPlateMap, match=r"column 'role' is missing; the header is: plate, well, kind"):
        parse("P,A01,mock", header="plate,well,kind")


def test_names_of_others() -> None:
    plate_map = parse_plate_map(
        "Metadata_Plate;Metadata_Well;Metadata_control_type;Metadata_treatment;Metadata_dose_um;batch\n"
        "P;a1;poscon;;;7\nP;a2;DMSO;;;7\nP;a3;trt;Drug;0.5;8\nP;a4;;;;9\n",
        source="map.csv",
    )
    assert [w.role for w in plate_map.wells] == [Role.POSITIVE, Role.NEGATIVE, Role.TREATMENT, Role.EMPTY]
    assert plate_map.wells[2].concentration_um == 0.5
    assert plate_map.wells[2].metadata == {"batch": "8"}
    assert [w.well for w in plate_map.used] == ["A01", "A02", "A03"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="plate map"):
        read_plate_map(tmp_path / "none.csv")


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    with pytest.raises(InvalidPlateMap, match="no text; save it as CSV UTF-8"):
        read_plate_map(tmp_path / "map.csv")


def test_controls_may_be_missing_where_an_earlier_screen_has_the_axis() -> None:
    text = "plate,well,role,compound,concentration_um\nP,A01,treatment,X,1\n"
    with pytest.raises(InvalidPlateMap, match="no positive_control well"):
        parse_plate_map(text, source="map.csv")
    assert [w.well for w in parse_plate_map(text, source="map.csv", controls=False).wells] == ["A01"]
    with pytest.raises(InvalidPlateMap, match="every well is empty"):
        parse_plate_map("plate,well,role\nP,A01,empty\n", source="map.csv", controls=False)


@pytest.mark.parametrize("column", ["experiment", "Metadata_Experiment"])
def test_the_experiment_of_a_well_is_the_column_of_that_name(column: str) -> None:
    text = f"plate,well,role,{column}\nP1,A01,positive_control,E1\nP1,A02,negative_control,E1\n"
    assert [well.experiment for well in parse_plate_map(text, source="map").wells] == ["E1", "E1"]
    assert parse_plate_map(text.replace(column, "batch"), source="map").wells[0].experiment == ""


@pytest.mark.parametrize("names", [COLUMN_NAMES, ROLE_NAMES], ids=["columns", "roles"])
def test_the_documentation_lists_every_name_that_is_accepted(repository: Path, names: Mapping[str, str]) -> None:
    page = (repository / "docs/plate-maps.md").read_text(encoding="utf-8")
    for name, ours in names.items():
        if name and name != ours:
            (row,) = re.findall(rf"^\| `{ours}`.*$", page, re.MULTILINE)
            assert f"`{name}`" in row
