"""Workbooks: the stored values of one sheet, and a refusal of what is no workbook or would fill the memory."""

from __future__ import annotations

import datetime
import io
import zipfile

import openpyxl
import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates.plate_map import FORM
from gandl_shared.plates.tables import workbooks
from gandl_shared.plates.tables.reader import table_of_bytes
from gandl_shared.plates.tables.workbooks import rows_of_workbook

from tests.shared.plates.tables.workbook import workbook


def archive(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return buffer.getvalue()


ROWS: list[list[object]] = [
    ["plate", "dose"],
    [1, 0.3],
    [2.0, 1e-7],
    [None, None],
    [True, datetime.datetime(2026, 3, 1)],
]


def test_values_are_texts_as_the_sheet_shows_them() -> None:
    rows, label, notes = rows_of_workbook(workbook({"map": ROWS}), "m.xlsx", FORM, None)
    assert rows == [["plate", "dose"], ["1", "0.3"], ["2", "1e-07"], [], ["True", "2026-03-01"]]
    assert (label, notes) == ("m.xlsx", [])


def test_the_first_sheet_is_read_and_said_unless_one_is_chosen() -> None:
    content = workbook({"map": ROWS, "other": [["x"]]})
    rows, label, notes = rows_of_workbook(content, "m.xlsx", FORM, None)
    assert (rows[0], label) == (["plate", "dose"], "m.xlsx, sheet 'map'")
    assert notes == ["m.xlsx has 2 sheets; 'map' was read"]
    assert rows_of_workbook(content, "m.xlsx", FORM, "other") == ([["x"]], "m.xlsx, sheet 'other'", [])
    with pytest.raises(InvalidPlateMap, match=r"m\.xlsx has no sheet 'third'; it has map, other"):
        rows_of_workbook(content, "m.xlsx", FORM, "third")


def test_a_hidden_sheet_is_not_the_first() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook({"lists": [["x"]], "map": ROWS})))
    book["lists"].sheet_state = "hidden"
    book.active = 1
    buffer = io.BytesIO()
    book.save(buffer)
    assert rows_of_workbook(buffer.getvalue(), "m.xlsx", FORM, None)[1] == "m.xlsx, sheet 'map'"


def test_a_formula_without_a_stored_value_is_refused_by_its_cell() -> None:
    with pytest.raises(InvalidPlateMap, match="row 2, column 1 holds a formula without a stored value"):
        rows_of_workbook(workbook({"map": [["plate"], ["=1+1"]]}), "m.xlsx", FORM, None)


def test_a_formula_counts_with_its_stored_value() -> None:
    content = workbook({"map": [["plate"], ["=1+1"]]})
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"<v />", b"<v>2</v>").replace(b"<v></v>", b"<v>2</v>")
    assert rows_of_workbook(archive(parts), "m.xlsx", FORM, None)[0] == [["plate"], ["2"]]


def test_the_library_is_quiet_about_styles(recwarn: pytest.WarningsRecorder) -> None:
    content = workbook({"map": ROWS})
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    styles = parts["xl/styles.xml"]
    start, end = styles.index(b"<cellStyles"), styles.index(b"</cellStyles>") + len(b"</cellStyles>")
    parts["xl/styles.xml"] = styles[:start] + styles[end:]
    assert rows_of_workbook(archive(parts), "m.xlsx", FORM, None)[0][0] == ["plate", "dose"]
    assert not recwarn.list


def test_a_bomb_and_entities_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook({"map": ROWS})
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    for encoding in ("utf-8", "utf-16"):
        comment = f"<!--{'x' * 9000}-->"
        entities = f"<?xml version='1.0'?>{comment}<!DOCTYPE x [<!ENTITY a 'b'>]><x/>".encode(encoding)
        with pytest.raises(InvalidPlateMap, match="declares XML entities"):
            rows_of_workbook(archive(parts | {"xl/sharedStrings.xml": entities}), "m.xlsx", FORM, None)
        with pytest.raises(InvalidPlateMap, match="declares XML entities"):
            rows_of_workbook(archive(parts | {"xl/worksheets/map.bin": entities}), "m.xlsx", FORM, None)
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 1_000_000)
    with pytest.raises(InvalidPlateMap, match="unpacks to more than 1 MB"):
        rows_of_workbook(archive(parts | {"xl/bomb.xml": bytes(2_000_000)}), "m.xlsx", FORM, None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600), "an old or a protected workbook; save it as .xlsx"),
        (b"PK\x03\x04" + bytes(40), "damaged workbook"),
        (archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), r"is no .xlsx workbook"),
        (archive({"xl/workbook.xml": b"<"}), "damaged workbook"),
    ],
)
def test_other_files_are_refused_with_the_remedy(content: bytes, words: str) -> None:
    with pytest.raises(InvalidPlateMap, match=words):
        table_of_bytes(content, "m.xlsx", FORM)


def test_a_sheet_with_a_million_formatted_rows_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_BLANK_ROWS", 5)
    rows, _, _ = rows_of_workbook(workbook({"m": [["a"], *[[None]] * 20, ["b"]]}), "m.xlsx", FORM, None)
    assert rows[0] == ["a"]


def test_a_damaged_part_is_named() -> None:
    content = workbook({"map": ROWS})
    for at in range(40, len(content) - 30, len(content) // 40):
        damaged = content[:at] + b"\xff" * 30 + content[at + 30 :]
        with pytest.raises(InvalidPlateMap, match="m.xlsx"):
            rows_of_workbook(damaged, "m.xlsx", FORM, None)
