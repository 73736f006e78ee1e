"""Workbooks (.xlsx) to rows of texts: stored values only, within limits, and never a program or another file."""

from __future__ import annotations

import datetime
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from gandl_shared.files.archives import DAMAGED
from gandl_shared.plates.tables.delimited import Rows
from gandl_shared.plates.tables.table import TableForm

MAX_UNPACKED_BYTES = 100_000_000
MAX_PARTS = 2_000
MAX_ROWS, MAX_COLUMNS = 1_000_000, 2_000
MAX_BLANK_ROWS = 10_000
"""After so many blank rows a sheet is over: formats of whole columns make sheets of a million rows."""
_OLD = b"\xd0\xcf\x11\xe0"
_DAMAGED = (*DAMAGED, InvalidFileException, KeyError, ParseError, OSError, TypeError, AttributeError)


def rows_of_workbook(content: bytes, source: str, form: TableForm, sheet: str | None) -> tuple[Rows, str, list[str]]:
    """Return the rows of a sheet, its name for messages, and what was assumed.

    The first sheet that is not hidden is read if `sheet` is None.

    A formula counts with the value that was stored with it. Raises the error of the form for a file that is no
    workbook, that would unpack to too much, without that sheet, or with a formula without a value.
    """
    _check_parts(content, source, form)
    with warnings.catch_warnings():
        # The library speaks of styles and menus that it does not keep, which nobody has asked it to write.
        warnings.simplefilter("ignore", UserWarning)
        return _read(content, source, form, sheet)


def _read(content: bytes, source: str, form: TableForm, sheet: str | None) -> tuple[Rows, str, list[str]]:
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        names = [worksheet.title for worksheet in book.worksheets]
        visible = [worksheet.title for worksheet in book.worksheets if worksheet.sheet_state == "visible"]
        name = _sheet_name(names, sheet or next(iter(visible), None), source, form)
        rows = _rows(book[name])
        if _has_formulas(content):
            _check_formulas(content, name, rows, source, form)
    except _DAMAGED as error:
        raise form.error(
            f"{form.name} {source} is a damaged workbook: {error}; save it again as .xlsx or CSV"
        ) from error
    if len(names) == 1:
        return rows, source, []
    notes = [] if sheet else [f"{source} has {len(names)} sheets; '{name}' was read"]
    return rows, f"{source}, sheet '{name}'", notes


def _check_parts(content: bytes, source: str, form: TableForm) -> None:
    """Refuse what is not an .xlsx file, what unpacks to too much, and XML that declares entities."""
    if content.startswith(_OLD):
        raise form.error(f"{form.name} {source} is an old or a protected workbook; save it as .xlsx without a password")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise form.error(
                    f"{form.name} {source} unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB or {MAX_PARTS} "
                    "parts; save the sheet alone, or as CSV"
                )
            if "xl/workbook.xml" not in archive.namelist():
                raise form.error(f"{form.name} {source} is no .xlsx workbook; save it as .xlsx or CSV")
            if any(_has_doctype(archive, part) for part in parts):
                raise form.error(
                    f"{form.name} {source} declares XML entities, which no spreadsheet writes; it was refused"
                )
    except (OSError, *DAMAGED) as error:
        raise form.error(f"{form.name} {source} is a damaged workbook: {error}; save it again as .xlsx") from error


def _has_doctype(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    # A workbook may call its sheets as it likes, so all parts are read. Only a declaration has these letters, because
    # texts write "<" as an entity. UTF-16 puts a zero beside each.
    return b"<!DOCTYPE" in archive.read(part).replace(b"\0", b"")


def _sheet_name(names: list[str], sheet: str | None, source: str, form: TableForm) -> str:
    if not names:
        raise form.error(f"{form.name} {source} has no sheet of cells")
    if sheet is None:
        return names[0]
    if sheet not in names:
        raise form.error(f"{form.name} {source} has no sheet '{sheet}'; it has {', '.join(names)}")
    return sheet


def _rows(worksheet: Any) -> Rows:  # Any: openpyxl has no types
    # Some programs write a wrong size of the sheet, after which cells would be left out.
    worksheet.reset_dimensions()
    rows: Rows = []
    blank = 0
    for values in worksheet.iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS, values_only=True):
        cells = _stripped(_text(value) for value in values)
        blank = 0 if cells else blank + 1
        if blank > MAX_BLANK_ROWS:
            break
        rows.append(cells)
    return rows


def _stripped(texts: Iterable[str]) -> list[str]:
    cells = list(texts)
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(value: object) -> str:
    """Return the value of a cell as text. A number that is whole has no point, as the sheet shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d")
    return str(value).strip()


def _has_formulas(content: bytes) -> bool:
    """Return True if any sheet has a formula: only then the workbook is read a second time."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(b"<f>" in xml or b"<f " in xml for xml in map(archive.read, sheets))


def _check_formulas(content: bytes, name: str, rows: Rows, source: str, form: TableForm) -> None:
    """Raise the error of the form for a formula whose value was not stored, as programs without a calculator write."""
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    worksheet = book[name]
    worksheet.reset_dimensions()
    for number, column in _formulas(worksheet, len(rows)):
        cells = rows[number - 1]
        if column >= len(cells) or not cells[column]:
            raise form.error(
                f"{form.name} {source}: the cell in row {number}, column {column + 1} holds a formula without a stored "
                "value; open the file in a spreadsheet and save it, or replace formulas by values"
            )


def _formulas(worksheet: Any, n_rows: int) -> Iterator[tuple[int, int]]:  # Any: openpyxl has no types
    for number, values in enumerate(worksheet.iter_rows(max_row=n_rows, values_only=True), start=1):
        for column, value in enumerate(values):
            if isinstance(value, str) and value.startswith("="):
                yield number, column
