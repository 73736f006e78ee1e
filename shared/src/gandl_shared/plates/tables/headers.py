"""The header of a table: where it is, columns that stand twice, and rows that are longer or shorter than it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gandl_shared.errors import Problem
from gandl_shared.plates.tables.delimited import MAX_HEADER_ROW, Rows, known_columns
from gandl_shared.plates.tables.table import Row, Table, TableForm

_MIN_KNOWN = 2
"""A row is a header if it names so many columns of ours; titles name at most one."""


@dataclass
class _Body:
    """The rows below a header, as they are checked one after the other."""

    rows: list[Row] = field(default_factory=list)
    short: dict[int, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def table_of_rows(rows: Rows, source: str, form: TableForm, separator: str | None, notes: Sequence[str] = ()) -> Table:
    """Return the table in the rows of a file. Raises the error of the form if there is no row below the header."""
    index = _header_index(rows, form)
    if index is None or not any(any(cells) for cells in rows[index + 1 :]):
        raise form.error(f"{form.name} {source} has no rows; it needs a header and one row per well")
    titles = [n for n, cells in enumerate(rows[:index], start=1) if any(cells)]
    header = list(rows[index])
    while header and not header[-1]:
        header.pop()
    body = _body(rows, index, len(header), source)
    named = [i for i, name in enumerate(header) if name]
    return Table(
        source=source,
        header=tuple(header[i] for i in named),
        header_row=index + 1,
        rows=tuple(body.rows) if len(named) == len(header) else _chosen_columns(body.rows, named),
        separator=separator,
        short_rows=body.short,
        notes=(*notes, *_title_notes(titles, source)),
        problems=(
            *_doubled(header, index + 1, source),
            *_unnamed(header, body.rows, index + 1, source),
            *body.problems,
        ),
    )


def is_list(rows: Rows, form: TableForm) -> bool:
    """Return True if a row names columns of ours: then the table is a list, whatever numbers and letters it holds.

    The line of column numbers of a plate-shaped block may name two contents of blocks side by side, and is none.
    """
    headers = [cells for cells in rows[:MAX_HEADER_ROW] if known_columns(cells, form.column_of) >= _MIN_KNOWN]
    return any(not {"1", "2", "3"} <= set(cells) for cells in headers)


def _header_index(rows: Rows, form: TableForm) -> int | None:
    """Return the index of the first of the rows that name most of our columns, else of the first row with text."""
    best = max(
        range(min(len(rows), MAX_HEADER_ROW)), key=lambda i: known_columns(rows[i], form.column_of), default=None
    )
    if best is not None and known_columns(rows[best], form.column_of) >= _MIN_KNOWN:
        return best
    return next((i for i, cells in enumerate(rows) if any(cells)), None)


def _body(rows: Rows, index: int, width: int, source: str) -> _Body:
    body = _Body()
    content = [(n, cells) for n, cells in enumerate(rows[index + 1 :], start=index + 2) if any(cells)]
    # Some programs end every line with a separator. If only some rows are longer, a cell holds a bare separator.
    is_uniform = len({len(cells) for _, cells in content}) == 1
    for number, cells in content:
        if len(cells) < width:
            body.short[number] = len(cells)
            body.rows.append(Row(number, cells + [""] * (width - len(cells))))
        elif len(cells) == width or (is_uniform and not any(cells[width:])):
            body.rows.append(Row(number, cells[:width]))
        else:
            detail = (
                f"row {number} has {len(cells)} cells, the header {width}; put quotes around a cell that contains the "
                "separator"
            )
            body.problems.append(Problem(detail, file=source, row=number))
    return body


def _chosen_columns(rows: Sequence[Row], indices: Sequence[int]) -> tuple[Row, ...]:
    return tuple(Row(row.number, [row.cells[i] for i in indices]) for row in rows)


def _doubled(header: Sequence[str], row: int, source: str) -> list[Problem]:
    positions: dict[str, list[int]] = {}
    for number, name in enumerate(header, start=1):
        if name:
            positions.setdefault(" ".join(name.casefold().split()), []).append(number)
    return [
        Problem(
            f"column occurs twice, in columns {' and '.join(map(str, numbers))}; remove or rename one",
            file=source,
            row=row,
            field=header[numbers[0] - 1],
        )
        for numbers in positions.values()
        if len(numbers) > 1
    ]


def _unnamed(header: Sequence[str], rows: Sequence[Row], row: int, source: str) -> list[Problem]:
    """Return a problem per column with content and no name, unless it counts the rows, as data frames write it."""
    problems = []
    for i, name in enumerate(header):
        cells = [] if name else [r.cells[i] for r in rows]
        is_index = i == 0 and [cell for cell in cells if cell] == [str(n) for n in range(len(cells))]
        if any(cells) and not is_index:
            detail = f"column {i + 1} has cells but no name in the header; name it or remove it"
            problems.append(Problem(detail, file=source, row=row))
    return problems


def _title_notes(titles: Sequence[int], source: str) -> list[str]:
    if not titles:
        return []
    where = f"row {titles[0]}" if len(titles) == 1 else f"rows {', '.join(map(str, titles))}"
    return [f"{source} has text above its header, in {where}, which was read as a title"]
