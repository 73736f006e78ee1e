"""A file is read by its content: text, workbook, list or blocks, and never more than the limit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gandl_shared.errors import InvalidPlateMap, NotFound
from gandl_shared.plates.plate_map import FORM
from gandl_shared.plates.tables import reader
from gandl_shared.plates.tables.reader import read_table, table_of_bytes, table_of_text


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(NotFound, match="give the path of a CSV or .xlsx file"):
            read_table(path, FORM)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotFound):
        read_table(tmp_path / "pipe", FORM)


def test_a_sheet_of_a_text_is_refused() -> None:
    with pytest.raises(InvalidPlateMap, match=r"m\.csv is no workbook, so it has no sheet 'a'"):
        table_of_bytes(b"plate,well\nP,A01\n", "m.csv", FORM, "a")


def test_a_large_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_FILE_BYTES", 1_000_000)
    with pytest.raises(InvalidPlateMap, match="larger than 1 MB"):
        table_of_bytes(bytes(1_000_001), "m.csv", FORM)


def test_rows_of_blocks_are_those_of_the_file() -> None:
    columns = ",".join(map(str, range(1, 13)))
    lines = [f"{letter}{',' * 12}" for letter in "ABCDEFGH"]
    lines[1] = "B,trt" + "," * 11
    table = table_of_text("\n".join(["plate,P1", f"role,{columns}", *lines]), "m.csv", FORM)
    assert [(row.number, row.cells) for row in table.rows] == [(4, ["P1", "B01", "trt"])]
    assert "plate-shaped blocks" in table.notes[0]


def test_unclear_blocks_alone_are_refused_at_once() -> None:
    columns = ",".join(map(str, range(1, 13)))
    with pytest.raises(InvalidPlateMap, match="nothing names the plate of this block") as error:
        table_of_text("\n".join([f"role,{columns}", "A" + ",x" * 12]), "m.csv", FORM)
    assert len(error.value.problems) == 2


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(InvalidPlateMap, match="NUL"):
        table_of_text("plate,well\nP\0,A01\n", "m.csv", FORM)


def test_a_list_with_letters_below_numbers_is_no_grid() -> None:
    lines = [
        "compound,concentration_um,plate,well",
        "Z,1,2,3",
        *(f"{letter},1,2,A0{n}" for n, letter in enumerate("ABCD", 1)),
    ]
    table = table_of_text("\n".join(lines), "m.csv", FORM)
    assert (table.header_row, len(table.rows)) == (1, 5)
