"""The one reader of tables of wells: bytes, text or a workbook, a list or plate-shaped blocks, to a `Table`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gandl_shared.errors import NotFound, raise_if
from gandl_shared.files.objects import is_file, open_file
from gandl_shared.plates.tables.decoding import decode
from gandl_shared.plates.tables.delimited import Rows, rows_of_text
from gandl_shared.plates.tables.foreign import foreign_file
from gandl_shared.plates.tables.grids import grid_rows
from gandl_shared.plates.tables.headers import is_list, table_of_rows
from gandl_shared.plates.tables.table import Row, Table, TableForm

_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""The first bytes of a workbook, of the present (.xlsx) and the old form (.xls)."""
MAX_FILE_BYTES = 100_000_000


def read_table(path: Path, form: TableForm, sheet: str | None = None) -> Table:
    """Read a table from a file: CSV in any of the usual forms, or a workbook, of which `sheet` chooses the sheet.

    Raises NotFound, or the error of the form for what is no table. What is wrong with single rows is in `problems`.
    """
    if not is_file(path):
        raise NotFound(f"{form.name} {path} is not there; give the path of a CSV or .xlsx file")
    try:
        with open_file(path) as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise form.error(f"{form.name} {path.name} cannot be read: {error.strerror}") from error
    return table_of_bytes(content, path.name, form, sheet)


def table_of_bytes(content: bytes, source: str, form: TableForm, sheet: str | None = None) -> Table:
    """Read a table from the bytes of a file, which `source` names in messages. Raises as `read_table` does."""
    if len(content) > MAX_FILE_BYTES:
        raise form.error(f"{form.name} {source} is larger than {MAX_FILE_BYTES // 1_000_000} MB; divide it")
    if content.startswith(_WORKBOOK):
        from gandl_shared.plates.tables.workbooks import rows_of_workbook  # noqa: PLC0415 - the library starts slowly

        rows, label, notes = rows_of_workbook(content, source, form, sheet)
        return _table(rows, label, form, None, notes)
    if sheet is not None:
        raise form.error(f"{form.name} {source} is no workbook, so it has no sheet '{sheet}'; leave the sheet out")
    foreign = foreign_file(content[:512])
    if foreign is not None:
        raise form.error(f"{form.name} {source} {foreign}")
    text, notes = decode(content, source, form)
    return _of_text(text, source, form, notes)


def table_of_text(text: str, source: str, form: TableForm) -> Table:
    """Read a table from text. Raises as `read_table` does."""
    if "\0" in text:
        raise form.error(f"{form.name} {source} holds NUL characters; remove them")
    return _of_text(text.removeprefix("\ufeff"), source, form, [])


def _of_text(text: str, source: str, form: TableForm, notes: list[str]) -> Table:
    rows, separator = rows_of_text(text, source, form)
    return _table(rows, source, form, separator, notes)


def _table(rows: Rows, source: str, form: TableForm, separator: str | None, notes: list[str]) -> Table:
    grid = None if is_list(rows, form) else grid_rows(rows, source)
    if grid is None:
        return table_of_rows(rows, source, form, separator, notes)
    cells, numbers, problems = grid
    if len(cells) < 2:
        raise_if(problems, form.error, f"{form.name} {source} cannot be used")
    table = table_of_rows(cells, source, form, separator, [*notes, f"{source} was read as plate-shaped blocks"])
    rows_in_file = tuple(Row(numbers[row.number - 2], row.cells) for row in table.rows)
    return replace(table, rows=rows_in_file, problems=(*problems, *table.problems))
