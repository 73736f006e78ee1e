"""Labels and groups from plate maps, tables and file names."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.probing.labels import columns_of_names, columns_of_table, columns_of_wells, labelled_images
from gandl_shared.errors import BadInput, Invalid
from gandl_shared.plates import Site, parse_plate_map


def site(name: str, plate: str = "", well: str = "") -> Site:
    return Site(plate=plate, well=well, site=name, root=Path(), names=(name,))


def test_placeholders_of_names_are_columns() -> None:
    cells = [site("Anaphase/PLLT0048_13--ex2005--c3___P00069_01___img.png"), site("deep/Hole/PLLT0001_02--x.png")]
    assert columns_of_names(cells, "{phenotype}/PL{plate}--{any}.png") == [
        {"phenotype": "Anaphase", "plate": "LT0048_13"},
        {"phenotype": "Hole", "plate": "LT0001_02"},
    ]


@pytest.mark.parametrize("pattern", ["cells.png", "{any}.png", "{a}/{a}.png", "{1}.png"])
def test_a_pattern_without_columns_is_refused(pattern: str) -> None:
    with pytest.raises(BadInput, match="name each part once"):
        columns_of_names([site("a.png")], pattern)


def test_names_that_do_not_match_are_named() -> None:
    with pytest.raises(Invalid, match="1 of 2 names do not match") as error:
        columns_of_names([site("a/1.png"), site("2.tif")], "{kind}/{plate}.png")
    assert [problem.file for problem in error.value.problems] == ["2.tif"]


def test_a_table_names_files_below_the_folder(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("Metadata_phenotype,plate,File\nround,P1,./a/1.png\nlong,P2,b\\2.png\n")
    cells = [site("a/1.png"), site("b/2.png"), site("b/3.png")]
    columns = columns_of_table(cells, table)
    assert columns == [
        {"file": "a/1.png", "phenotype": "round", "plate": "P1"},
        {"file": "b/2.png", "phenotype": "long", "plate": "P2"},
        {},
    ]
    images = labelled_images(cells, columns, "phenotype", "plate")
    assert (images.labels, images.groups, images.left_out) == (("round", "long"), ("P1", "P2"), 1)


def test_a_table_that_does_not_fit_the_folder_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,kind\n1.png,a\n1.png,b\n2.png,a\n")
    with pytest.raises(Invalid, match=r"labels\.csv cannot be used") as error:
        columns_of_table([site("1.png")], table)
    assert [str(problem) for problem in error.value.problems] == [
        "labels.csv, row 3, file: 1.png is named by two rows",
        "labels.csv, row 4, file: 2.png is not there",
    ]
    table.write_text("name,kind\n1.png,a\n")
    with pytest.raises(Invalid, match="has no column file; it has name, kind"):
        columns_of_table([site("1.png")], table)


def test_wells_have_the_columns_of_the_plate_map() -> None:
    text = "plate,well,role,compound,concentration_um,Metadata_batch\nP1,B03,treatment,Drug,1.5,x\n"
    plate_map = parse_plate_map(text, source="map.csv", controls=False)
    (columns,) = columns_of_wells([site("1", "P1", "B03")], plate_map)
    assert columns == {
        "plate": "P1",
        "well": "B03",
        "plate_well": "P1 B03",
        "row": "B",
        "column": "3",
        "role": "treatment",
        "compound": "Drug",
        "concentration_um": "1.5",
        "cell_line": "unspecified",
        "batch": "x",
    }


def test_an_unknown_column_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadInput, match="--groups batch is no column; there are kind, plate"):
        labelled_images([site("1")], [{"kind": "a", "plate": "P"}], "kind", "batch")
