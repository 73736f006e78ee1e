"""Plate-shaped tables: blocks of 8 × 12, 16 × 24 or 32 × 48 cells for compound, dose, role and more, as one table.

A block has a row of column numbers 1, 2, … and a column of row letters A, B, …; its name is in the corner, or in the
last line with text above it. A line such as `plate, P1` names the plate of all blocks below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gandl_shared.errors import Problem
from gandl_shared.plates.tables.delimited import Rows
from gandl_shared.plates.well_names import row_letters, well_name

FORMATS = {(2, 3), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48)}
_MIN_COLUMNS = 3
_MAX_TITLE_DISTANCE = 3
_PLATE = re.compile(r"\s*(plate|barcode|plate[ _]?(id|name|barcode))\s*[:=]?\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block of a grid: its cells, the row of the file of its first line of wells, and what it says."""

    label: str
    plate: str
    first_row: int
    cells: tuple[tuple[str, ...], ...]


def grid_rows(rows: Rows, source: str) -> tuple[Rows, list[int], list[Problem]] | None:
    """Return the blocks as rows of a table with a header, the row of the file of each, and what is wrong with them.

    None: there is no block in these rows.
    """
    corners = list(_corners(rows))
    if not corners:
        return None
    problems: list[Problem] = []
    blocks = [block for corner in corners if (block := _block(rows, *corner, source, problems)) is not None]
    problems += _unequal_layers(blocks, source)
    labels = list(dict.fromkeys(block.label for block in blocks))
    wells: dict[tuple[str, int, int], dict[str, str]] = {}
    numbers: dict[tuple[str, int, int], int] = {}
    for block in blocks:
        for i, line in enumerate(block.cells):
            for j, cell in enumerate(line):
                key = (block.plate, i, j)
                wells.setdefault(key, {})[block.label] = cell
                numbers.setdefault(key, block.first_row + i)
    filled = {key: cells for key, cells in wells.items() if any(cells.values())}
    table = [["plate", "well", *labels]]
    table += [[p, well_name(i + 1, j + 1), *(c.get(n, "") for n in labels)] for (p, i, j), c in filled.items()]
    return table, [numbers[key] for key in filled], problems


def _corners(rows: Rows) -> Iterator[tuple[int, int, int]]:
    """Yield the row, the column and the width of each line of column numbers that has row letters below it."""
    for r, cells in enumerate(rows[:-1]):
        for c in range(len(cells) - _MIN_COLUMNS):
            if _number(cells[c + 1]) != 1 or _cell(rows, r + 1, c).upper() != "A":
                continue
            width = next((n for n in range(len(cells) - c - 1) if _number(cells[c + 1 + n]) != n + 1), None)
            width = len(cells) - c - 1 if width is None else width
            if width >= _MIN_COLUMNS:
                yield r, c, width


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else None


def _cell(rows: Rows, r: int, c: int) -> str:
    return rows[r][c] if r < len(rows) and c < len(rows[r]) else ""


def _block(rows: Rows, r: int, c: int, width: int, source: str, problems: list[Problem]) -> Block | None:
    height = 0
    while _cell(rows, r + 1 + height, c).upper() == row_letters(height + 1):
        height += 1
    label, plate = _label(rows, r, c), _plate_above(rows, r)
    reasons = []
    if (height, width) not in FORMATS:
        sizes = ", ".join(f"{h} × {w}" for h, w in sorted(FORMATS))
        reasons.append(f"the block has {height} rows and {width} columns, but plates have {sizes}; complete it")
    if not label:
        reasons.append("the block has no name; write compound, concentration_um or role into its upper left corner")
    if not plate:
        reasons.append("nothing names the plate of this block; write a line such as 'plate,P1' above it")
    problems += [Problem(reason, file=source, row=r + 1) for reason in reasons]
    if reasons:
        return None
    lines = [tuple(_cell(rows, r + 1 + i, c + 1 + j) for j in range(width)) for i in range(height)]
    return Block(label=label, plate=plate, first_row=r + 2, cells=tuple(lines))


def _label(rows: Rows, r: int, c: int) -> str:
    if rows[r][c]:
        return rows[r][c]
    for above in range(r - 1, max(r - 1 - _MAX_TITLE_DISTANCE, -1), -1):
        texts = [text for text in rows[above] if text]
        if texts and not _PLATE.fullmatch(texts[0]):
            # A line of wells belongs to another block.
            return "" if len(texts) > 1 else texts[0]
    return ""


def _plate_above(rows: Rows, r: int) -> str:
    """Return the plate that the nearest line above names: `plate, P1` in two cells, or `Plate: P1` in one."""
    for above in range(r - 1, -1, -1):
        texts = [text for text in rows[above] if text]
        match = _PLATE.fullmatch(texts[0]) if texts else None
        if match and (match[3] or len(texts) > 1):
            return match[3] or texts[1]
    return ""


def _unequal_layers(blocks: Sequence[Block], source: str) -> list[Problem]:
    """Return a problem per block that stands twice, or whose size is not that of the others of its plate."""
    problems = []
    first: dict[str, Block] = {}
    header_rows: dict[tuple[str, str], int] = {}
    for block in blocks:
        other = first.setdefault(block.plate, block)
        size, expected = [(len(b.cells), len(b.cells[0])) for b in (block, other)]
        key = (block.plate, block.label.casefold())
        if key in header_rows:
            detail = f"plate {block.plate} has '{block.label}' in row {header_rows[key]} already; keep one"
            problems.append(Problem(detail, file=source, row=block.first_row - 1, field=block.label))
        header_rows.setdefault(key, block.first_row - 1)
        if size != expected:
            sizes = [f"{height} × {width}" for height, width in (size, expected)]
            detail = f"the block has {sizes[0]} wells, but '{other.label}' of the same plate {sizes[1]}"
            problems.append(Problem(detail, file=source, row=block.first_row - 1, field=block.label))
    return problems
