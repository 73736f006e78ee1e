"""The workbook of a screen: sheets for wells, curves, the wells of the curves, ranking, quality and parameters.

Every text is stored as a text, so that no name is run as a formula, and every number as a number, also those of the
further columns of the plate map.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence

from gandl_shared.errors import TooLarge
from gandl_shared.schemas.screen import Hit
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from gandl_analysis.formats.exports.source import ExportChoice, ExportSource
from gandl_analysis.formats.tables.curves import curve_records, point_records
from gandl_analysis.formats.tables.decisions import DECISION_COLUMNS, decision_records
from gandl_analysis.formats.tables.metadata import (
    metadata_columns,
    metadata_number,
    numeric_metadata,
    prefixed_metadata,
)
from gandl_analysis.formats.tables.wells import HIT_COLUMNS, WELL_COLUMNS
from gandl_analysis.pipeline.result import ScreenAnalysis

MAX_ROWS = 1_048_576
MAX_TEXT = 32_767
"""The most rows of a sheet and characters of a cell in a workbook (ECMA-376); a program cuts what is longer."""
_MAX_WIDTH = 32
_SPECIAL = ("=", "#")
"""A text that begins so would become a formula or an error value."""

Rows = Iterator[Sequence[object]]


def workbook(source: ExportSource, _: ExportChoice) -> bytes:
    """Return the workbook. Raises TooLarge for a sheet or a cell that no spreadsheet program can hold."""
    # What cannot be held is refused before the first sheet is begun: an unfinished one would leave a file behind.
    sheets = {name: _checked(name, rows) for name, rows in _sheets(source).items()}
    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        _write_sheet(book.create_sheet(name), rows)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _sheets(source: ExportSource) -> Mapping[str, Rows]:
    analysis = source.analysis
    return {
        "wells": _wells(analysis),
        "curves": _records(*curve_records(analysis.curves)),
        "curve wells": _records(*point_records(analysis.curves)),
        "ranking": _ranking(source.hits()),
        "decisions": _records(DECISION_COLUMNS, decision_records(source.decisions())),
        "quality": _quality(analysis),
        "parameters": _parameters(source),
    }


def _wells(analysis: ScreenAnalysis) -> Rows:
    columns = (*WELL_COLUMNS, *metadata_columns(analysis.wells))
    return _records(columns, ({**well.model_dump(), **prefixed_metadata(well)} for well in analysis.wells))


def _ranking(hits: Sequence[Hit]) -> Rows:
    records = ({**hit.model_dump(), "flags": ";".join(hit.flags), **prefixed_metadata(hit)} for hit in hits)
    return _records((*HIT_COLUMNS, *metadata_columns(hits)), records)


def _quality(analysis: ScreenAnalysis) -> Rows:
    groups = [("cell line", name, quality) for name, quality in analysis.quality.cell_lines.items()]
    groups += [("plate", name, quality) for name, quality in analysis.quality.plates.items()]
    fields = list(dict.fromkeys(name for *_, quality in groups for name in type(quality).model_fields))
    yield ["group", "name", *fields]
    for group, name, quality in groups:
        yield [group, name, *(_flat(value) for value in quality.model_dump(mode="json").values())]


def _parameters(source: ExportSource) -> Rows:
    provenance = source.analysis.provenance.model_dump(mode="json")
    yield ["parameter", "value"]
    yield ["screen", source.screen]
    yield ["version of the analysis", source.version]
    yield from _leaves("", provenance)
    for note in source.analysis.notes:
        yield ["note", note]


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield each number and text of nested objects with its path, such as `parameters.image_qc.focus`."""
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, part)
    else:
        yield path, _flat(value)


def _flat(value: object) -> object:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _records(columns: Sequence[str], records: Iterator[Mapping[str, object]]) -> Rows:
    rows = list(records)
    numeric = numeric_metadata(columns, rows)
    yield columns
    for row in rows:
        yield [metadata_number(row.get(name)) if name in numeric else row.get(name) for name in columns]


def _checked(sheet: str, rows: Rows) -> list[list[object]]:
    """Return the rows of a sheet with texts that a workbook can hold. Raises TooLarge."""
    checked = [[_text(value) if isinstance(value, str) else value for value in row] for row in rows]
    if len(checked) > MAX_ROWS:
        raise TooLarge(f"the sheet '{sheet}' has {len(checked)} rows, at most {MAX_ROWS} fit; take CSV or Parquet")
    return checked


def _text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise TooLarge(f"the text '{text[:40]}…' has {len(text)} characters, and a cell holds {MAX_TEXT}; take the CSV")
    # A member of an enum is a text of its own kind, which the workbook would not take.
    allowed: str = ILLEGAL_CHARACTERS_RE.sub("\ufffd", str(text))
    return allowed


def _write_sheet(sheet: WriteOnlyWorksheet, rows: Sequence[Sequence[object]]) -> None:
    # The panes and the widths must be there before the first row of a sheet that is only written.
    sheet.freeze_panes = "A2"
    for number, name in enumerate(rows[0], 1):
        sheet.column_dimensions[get_column_letter(number)].width = min(max(len(str(name)) + 2, 10), _MAX_WIDTH)
    sheet.append([_text_cell(sheet, str(name), bold=True) for name in rows[0]])
    for row in rows[1:]:
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: WriteOnlyWorksheet, value: object) -> object:
    is_special = isinstance(value, str) and value.startswith(_SPECIAL)
    return _text_cell(sheet, str(value)) if is_special else value


def _text_cell(sheet: WriteOnlyWorksheet, text: str, *, bold: bool = False) -> object:
    cell = WriteOnlyCell(sheet, text)
    # Set after the value, because the library takes a text that begins with = for a formula.
    cell.data_type, cell.font, cell.quotePrefix = "s", Font(bold=bold), text.startswith(_SPECIAL)
    return cell
