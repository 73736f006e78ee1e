"""Tables with one row per field of view, as CellProfiler's LoadData writes them: the rows of a well become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gandl_shared.plates.columns import is_file_column
from gandl_shared.plates.well import Well

SEPARATOR = ";"
"""It stands between the sites of a well in the cells of a column."""


def merge_site_rows(wells: Sequence[Well]) -> tuple[Well, ...]:
    """Return the wells with the rows of each put together, if they name other files and agree in all that a well holds.

    Cells of further columns that differ are joined by `;`, those that name files always. Other rows of a well are
    returned as they are, and are reported as repeated later.
    """
    groups: dict[tuple[str, str], list[Well]] = {}
    for well in wells:
        groups.setdefault((well.plate, well.well), []).append(well)
    return tuple(row for rows in groups.values() for row in _merge(rows))


def _merge(rows: Sequence[Well]) -> Sequence[Well]:
    first = rows[0]
    columns = [name for name in first.metadata if is_file_column(name)]
    if len(rows) == 1 or not columns or len({_content(row) for row in rows}) > 1:
        return rows
    # PathName_ may tell two rows apart that give their files the same names.
    files = [tuple(row.metadata.get(name, "") for name in (*columns, *_paths(first))) for row in rows]
    if len(set(files)) < len(files):
        return rows
    return [replace(first, metadata={name: _cell(rows, name, always=name in columns) for name in first.metadata})]


def _content(well: Well) -> tuple[object, ...]:
    return well.role, well.compound, well.concentration_um, well.cell_line


def _paths(well: Well) -> list[str]:
    return [name for name in well.metadata if name.lower().startswith("pathname_")]


def _cell(rows: Sequence[Well], name: str, *, always: bool) -> str:
    cells = [row.metadata.get(name, "") for row in rows]
    return cells[0] if len(set(cells)) == 1 and not always else SEPARATOR.join(cells)
