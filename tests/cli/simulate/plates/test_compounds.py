"""Compounds of the user, from a CSV file."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.simulate import preset, read_compounds
from gandl.simulate.plates.layout import plan
from gandl.simulate.plates.tables import write_tables
from gandl_shared.errors import InvalidTable, NotFound


def test_the_truth_of_one_screen_designs_another(tmp_path: Path) -> None:
    design = preset("screen-24")
    write_tables(tmp_path, design, plan(design))
    read = {compound.name: compound for compound in read_compounds(tmp_path / "truth.csv")}
    assert list(read) == [compound.name for compound in design.compounds]
    for compound in design.compounds:
        for line in design.cell_lines:
            assert read[compound.name].in_cells(line) == compound.in_cells(line)


def test_a_cell_line_without_a_row_has_the_common_one(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("compound,cell_line,ec50_um\nX,,0.8\nX,VERO-like,2.4\nY,VERO-like,1\n")
    first, second = read_compounds(table)
    assert first.in_cells("HRCE-like").ec50_um == 0.8 and first.in_cells("VERO-like").ec50_um == 2.4
    assert second.in_cells("HRCE-like").behaviour == "inert"


def test_every_bad_row_of_a_table_of_compounds_is_named(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("compound,cell_line,ec50_um,slope\nA,,1,1\nA,,2,1\nB,,abc,-1\n,,1,1\n")
    with pytest.raises(InvalidTable) as caught:
        read_compounds(table)
    places = [(p.file, p.row, p.field) for p in caught.value.problems]
    assert places == [
        ("own.csv", 3, None),
        ("own.csv", 4, "ec50_um"),
        ("own.csv", 4, "slope"),
        ("own.csv", 5, "compound"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [("name\nA\n", "no column 'compound'"), ("compound\n", "no rows"), (b"\xff\xfe\x00II", "not a CSV")],
)
def test_another_file_is_refused(tmp_path: Path, content: str | bytes, words: str) -> None:
    table = tmp_path / "own.csv"
    table.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InvalidTable, match=words):
        read_compounds(table)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.csv"):
        read_compounds(tmp_path / "nowhere.csv")
