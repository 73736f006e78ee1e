"""The wells of a table of vectors, by the rules of plate maps: from its own columns, or from a map beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from gandl_shared.errors import InvalidPlateMap, InvalidTable, NotFound, Problem, raise_if
from gandl_shared.plates import PlateMap, Role, Well, standard_well_name
from gandl_shared.plates.columns import COMPOUND_NUMBERS, column_key, plain_column, standard_column
from gandl_shared.plates.map_table.exclusion_marks import MarkedCell, is_exclusion_column, mark_problem
from gandl_shared.plates.map_table.published.recursion import data_set_of, is_recursion
from gandl_shared.plates.plate_map import FORM, plate_map_of_table
from gandl_shared.plates.tables import Row, Table, read_table
from gandl_shared.plates.tables.names import fold_name
from gandl_shared.schemas.vocabulary import TableLevel
from numpy.typing import NDArray

from gandl_analysis.formats.profiles.columns import by_key
from gandl_analysis.formats.profiles.identities import (
    IdentityColumns,
    identity_columns,
    joined_codes,
    with_plates_of_experiments,
)
from gandl_analysis.formats.profiles.sources.h5ad import OBS_NAMES
from gandl_analysis.formats.profiles.sources.source import RowTexts, TextColumn

Index = NDArray[np.intp]

_JOIN_KEYS = ("site_id", "well_id")
_MAX_PROBLEMS = 20
_OF_WELLS = ("role", "compound", "concentration_um", "concentration_unit", "cell_line")


@dataclass(frozen=True, kw_only=True)
class MapChoice:
    """How a plate map is read: whether every cell line must have `controls`, the `sheet` of a workbook, and the
    `positive` control of a published data set that leaves the choice."""

    controls: bool = True
    sheet: str | None = None
    positive: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RowWells:
    """The wells of a table, in the order of their map, the index of the well of each row [N], and the rows with all
    that describes them. `source` names what describes the wells."""

    wells: tuple[Well, ...]
    source: str
    well: Index
    rows: RowTexts
    identity: IdentityColumns
    notes: tuple[str, ...] = ()


def read_map_rows(path: Path, sheet: str | None) -> RowTexts:
    """Read a plate map, or a table of metadata with one row per field of view, as texts. Raises as `read_plate_map`."""
    table = read_table(path, FORM, sheet)
    raise_if(table.problems, InvalidPlateMap, f"plate map {table.source} cannot be used")
    columns = {name: TextColumn.of([row.cells[i] for row in table.rows]) for i, name in enumerate(table.header)}
    numbers = np.array([row.number for row in table.rows], np.intp)
    return RowTexts(source=table.source, numbers=numbers, columns=columns, table=table)


def join_map(rows: RowTexts, map_rows: RowTexts) -> RowTexts:
    """Return the rows with the columns of a map in which an identifier such as `site_id` names each row.

    Raises InvalidTable naming the rows whose identifier the map lacks, and those of the map that name one twice.
    """
    key, own, other = _join_columns(rows, map_rows)
    first: dict[str, int] = {}
    texts = map_rows.columns[other].texts()
    doubled = [i for i, text in enumerate(texts) if first.setdefault(text, i) != i]
    problems = [
        Problem(
            f"{key} '{texts[i]}' is in row {map_rows.numbers[first[texts[i]]]} already; keep one",
            file=map_rows.source,
            row=int(map_rows.numbers[i]),
            field=other,
        )
        for i in doubled[:_MAX_PROBLEMS]
    ]
    raise_if(problems, InvalidTable, f"{map_rows.source} cannot be used ({len(doubled)} rows)")
    column = rows.columns[own]
    row_of_value = np.array([first.get(text, -1) for text in column.values], np.intp)
    map_row = row_of_value[column.codes]
    _check_data_set(rows.columns[own], map_rows, other)
    _check_known(rows, own, map_row, map_rows.source)
    joined = {name: texts.take(map_row) for name, texts in map_rows.columns.items() if name != other}
    # What is wrong in a row may stand in either file.
    return replace(rows, source=f"{rows.source} with {map_rows.source}", columns={**joined, **rows.columns})


def _join_columns(rows: RowTexts, map_rows: RowTexts) -> tuple[str, str, str]:
    own, other = by_key(rows.columns), by_key(map_rows.columns)
    for key in _JOIN_KEYS:
        if key in own and key in other:
            return key, own[key], other[key]
    problem = Problem(
        f"names neither plate and well, nor a site_id or well_id that {map_rows.source} has too; add such a column. "
        f"Its columns beside the features are: {', '.join(rows.columns) or 'none'}",
        file=rows.source,
    )
    raise InvalidTable(f"table {rows.source} cannot be used: {problem}", problems=[problem])


def _check_data_set(ids: TextColumn, map_rows: RowTexts, column: str) -> None:
    """Raise InvalidTable where vectors and metadata are of different data sets of Recursion, by their ids."""
    own, described = ({data_set_of(text) for text in each.values} - {None} for each in (ids, map_rows.columns[column]))
    if len(own) != 1 or len(described) != 1 or own == described:
        return
    (name,), (other,) = own, described
    detail = f"the vectors are those of {name}, such as {ids.at(0)}, and {map_rows.source} is the metadata of {other}"
    problem = Problem(f"{detail}; give both of one data set", file=map_rows.source, field=column)
    raise InvalidTable(f"these tables do not belong together: {problem}", problems=[problem])


def _check_known(rows: RowTexts, column: str, map_row: Index, source: str) -> None:
    unknown = np.flatnonzero(map_row < 0)
    problems = [
        Problem(
            f"'{rows.columns[column].at(row)}' is not in {source}; add its row there, or remove this one",
            file=rows.source,
            row=int(rows.numbers[row]),
            field=column,
        )
        for row in unknown[:_MAX_PROBLEMS].tolist()
    ]
    raise_if(problems, InvalidTable, f"table {rows.source} cannot be used ({len(unknown)} vectors without metadata)")


def wells_of_rows(rows: RowTexts, described: RowTexts, choice: MapChoice) -> RowWells:
    """Return the wells that rows describe, by the rules of plate maps or those of a published table.

    `described` are the rows themselves, or those of the map from which their columns come. Raises InvalidPlateMap with
    a problem per row, also where the rows of one well disagree about its content.
    """
    identity = identity_columns(rows.columns)
    _check_position(rows, identity)
    if is_recursion(tuple(described.columns)):
        table = described.table or _whole_table(described)
        plate_map = plate_map_of_table(table, controls=choice.controls, positive=choice.positive)
        return _assigned(rows, plate_map, ())
    rows, notes = with_plates_of_experiments(rows, identity)
    well, first = joined_codes([rows.columns[name] for name in _position(identity)])
    if rows.table is not None and identity.level is TableLevel.WELL:
        # A plate map names each well once; the rules of plate maps refuse a row that repeats one.
        well = first = np.arange(len(rows))
    table = _well_table(rows, identity, well, first)
    plate_map = plate_map_of_table(table, controls=choice.controls, doses=False, positive=choice.positive)
    index = {w.table_row: i for i, w in enumerate(plate_map.wells)}
    of_group = np.array([index[number] for number in rows.numbers[first].tolist()], np.intp)
    notes += plate_map.notes
    return RowWells(
        wells=plate_map.wells,
        source=plate_map.source,
        well=of_group[well],
        rows=rows,
        identity=identity,
        notes=tuple(notes),
    )


def wells_of_map(rows: RowTexts, map_rows: RowTexts, choice: MapChoice) -> RowWells:
    """Return the wells of a plate map, and which of them each row belongs to by its own plate and well.

    Raises InvalidPlateMap as `read_plate_map` does, and InvalidTable naming the rows whose well the map lacks.
    """
    of_map = wells_of_rows(map_rows, map_rows, choice)
    plate_map = PlateMap(of_map.wells, map_rows.source, of_map.notes)
    return _assigned(rows, plate_map, _shared_columns(rows, map_rows))


def _assigned(rows: RowTexts, plate_map: PlateMap, notes: Sequence[str]) -> RowWells:
    """Return the wells of the map on the plates of the rows, and the well of each row by its plate and position."""
    identity = identity_columns(rows.columns)
    is_published = plate_map.is_published
    rows, own_notes = with_plates_of_experiments(rows, identity, always=is_published)
    code, first = joined_codes([rows.columns[name] for name in _position(identity)])
    keys = [_standard_position(rows, identity, row) for row in first.tolist()]
    plates = {plate for plate, _ in keys}
    wells = tuple(well for well in plate_map.wells if well.plate in plates)
    index = {(w.plate, w.well): i for i, w in enumerate(wells)}
    problems = [
        Problem(
            f"well {key[1]} of plate {key[0]} is not in {plate_map.source}, which has {_examples(plate_map)}",
            file=rows.source,
            row=int(rows.numbers[row]),
        )
        for key, row in zip(keys, first.tolist(), strict=True)
        if key not in index
    ]
    raise_if(problems, InvalidTable, f"table {rows.source} cannot be used ({len(problems)} wells without metadata)")
    well = np.array([index[key] for key in keys], np.intp)[code]
    others = len(set(plate_map.plates)) - len(plates)
    every_note = [*plate_map.notes, *([] if is_published else own_notes), *notes]
    if others:
        every_note.append(f"{others} plates of {plate_map.source} have no row in {rows.source} and were passed over")
    return RowWells(
        wells=wells, source=plate_map.source, well=well, rows=rows, identity=identity, notes=tuple(every_note)
    )


def _whole_table(rows: RowTexts) -> Table:
    """Return all rows as a table, as a published one with one row per field of view."""
    cells = zip(*(column.texts() for column in rows.columns.values()), strict=True)
    numbered = zip(rows.numbers.tolist(), cells, strict=True)
    return Table(
        source=rows.source,
        header=tuple(rows.columns),
        header_row=1,
        rows=tuple(Row(number, list(row)) for number, row in numbered),
        separator=None,
        short_rows={},
    )


def _shared_columns(rows: RowTexts, map_rows: RowTexts) -> list[str]:
    ours = {standard_column(name) for name in rows.columns}
    shared = [c for c in _OF_WELLS if c in ours and c in {standard_column(name) for name in map_rows.columns}]
    if not shared:
        return []
    return [
        f"{map_rows.source} says the {', '.join(shared)} of each well, and what {rows.source} says of it was not used"
    ]


def _position(identity: IdentityColumns) -> tuple[str, ...]:
    return (str(identity.plate), *identity.well)


def _check_position(rows: RowTexts, identity: IdentityColumns) -> None:
    missing = [name for name, has in (("plate", identity.plate), ("well", identity.well)) if not has]
    header = ", ".join(list(rows.columns)[:20])
    problems = [
        Problem(
            f"column '{name}' is missing; name it Metadata_{name.title()}, or give --platemap with the wells. The "
            f"columns beside the features are: {header or 'none'}",
            file=rows.source,
            field=name,
        )
        for name in missing
    ]
    raise_if(problems, InvalidTable, f"table {rows.source} cannot be used")


def _standard_position(rows: RowTexts, identity: IdentityColumns, row: int) -> tuple[str, str]:
    plate, *texts = (rows.columns[name].at(row) for name in _position(identity))
    text = "".join(texts)
    try:
        return fold_name(plate), standard_well_name(text)
    except ValueError:
        return fold_name(plate), text


def _examples(plate_map: PlateMap) -> str:
    first = plate_map.wells[0]
    plates = ", ".join(plate_map.plates[:3]) + (", …" if len(plate_map.plates) > 3 else "")
    return f"the plates {plates} and wells such as {first.well}"


def _well_table(rows: RowTexts, identity: IdentityColumns, well: Index, first: Index) -> Table:
    """Return the first row of each well as a plate map, with the columns on which all rows of every well agree."""
    constant, problems = {}, []
    for name, column in rows.columns.items():
        differs = np.flatnonzero(column.codes != column.codes[first][well])
        if not len(differs):
            constant[name] = column
        elif standard_column(name) in _OF_WELLS or column_key(name) in COMPOUND_NUMBERS:
            problems += _disagreement(rows, name, well, first, differs)
        elif is_exclusion_column(name):
            problems += mark_problem(rows.source, name, _cells(rows, column))
    raise_if(problems, InvalidPlateMap, f"{rows.source} cannot be used")
    redundant = _redundant(identity, constant)
    columns = {name: column for name, column in constant.items() if name not in redundant}
    texts = [column.take(first).texts() for column in columns.values()]
    numbers = rows.numbers[first].tolist()
    cells = zip(*texts, strict=True)
    return replace(
        rows.table or Table(source=rows.source, header=(), header_row=1, rows=(), separator=None, short_rows={}),
        header=tuple(name.removeprefix("Image_") if _is_of_image(name) else name for name in columns),
        rows=tuple(Row(number, list(row)) for number, row in zip(numbers, cells, strict=True)),
    )


def _disagreement(rows: RowTexts, name: str, well: Index, first: Index, differs: Index) -> list[Problem]:
    row = int(differs[0])
    other = int(first[well[row]])
    column = rows.columns[name]
    detail = (
        f"rows {rows.numbers[other]} and {rows.numbers[row]} belong to one well, but say '{column.at(other)}' and "
        f"'{column.at(row)}'; correct one"
    )
    return [Problem(detail, file=rows.source, row=int(rows.numbers[row]), field=name)]


def _cells(rows: RowTexts, column: TextColumn) -> Iterator[MarkedCell]:
    return (MarkedCell(number, text) for number, text in zip(rows.numbers.tolist(), column.texts(), strict=True))


def _redundant(identity: IdentityColumns, columns: Mapping[str, TextColumn]) -> set[str]:
    """Return the columns that name a row or repeat the well, such as `well_id` beside `well`."""
    wells = {name for name in columns if standard_column(name.removeprefix("Image_")) == "well"} - {*identity.well}
    sites = {name for name in columns if column_key(name) in ("site_id", "site", OBS_NAMES)}
    return wells | sites


def _is_of_image(name: str) -> bool:
    return name.startswith("Image_Metadata_")


def read_wells(rows: RowTexts, map_path: Path | None, choice: MapChoice) -> RowWells:
    """Return the wells of the rows of a table, from its own columns or from a map. Raises NotFound, InvalidTable."""
    if map_path is None:
        return wells_of_rows(rows, rows, choice)
    if not map_path.is_file():
        raise NotFound(f"plate map {map_path} is not there; give the path of a CSV or .xlsx file")
    map_rows = read_map_rows(map_path, choice.sheet)
    identity = identity_columns(rows.columns)
    has_position = identity.plate is not None and bool(identity.well)
    if has_position and not _is_number_of_row(identity):
        return wells_of_map(rows, map_rows, choice)
    return wells_of_rows(join_map(rows, map_rows), map_rows, choice)


def _is_number_of_row(identity: IdentityColumns) -> bool:
    """Return True where `well_id` names a well of any plate, and is no position such as A01."""
    return [plain_column(name).casefold() for name in identity.well] == ["well_id"]


def used_wells(wells: Sequence[Well]) -> NDArray[np.bool_]:
    """Return which of the wells [W] hold cells."""
    return np.array([well.role is not Role.EMPTY for well in wells], bool)
