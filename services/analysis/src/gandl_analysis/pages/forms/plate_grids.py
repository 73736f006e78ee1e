"""Plate maps as grids of wells: coloured by role, and treatments by dose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.plates import Role, Well
from gandl_shared.plates.well_names import parse_well, row_letters

FORMATS = ((8, 12), (16, 24), (32, 48))
_LEAST_SHARE = 18
"""The share of colour, in percent, of the lowest dose; the highest has all of it."""


@dataclass(frozen=True, kw_only=True)
class GridWell:
    """A well of a grid: its text for readers, its role, and the share of colour of its dose in percent."""

    text: str
    role: Role
    share: int


@dataclass(frozen=True, kw_only=True)
class PlateGrid:
    """A plate: the letters of its rows, the number of its columns, its wells by row and column (from 1), its roles."""

    plate: str
    rows: tuple[str, ...]
    columns: int
    wells: Mapping[tuple[int, int], GridWell]
    roles: Mapping[Role, int]


def plate_grids(wells: Sequence[Well]) -> tuple[PlateGrid, ...]:
    """Return the plates of a plate map in its order. Doses are compared within a compound, on a logarithmic scale."""
    ranges = _dose_ranges(wells)
    by_plate: dict[str, list[Well]] = {}
    for well in wells:
        by_plate.setdefault(well.plate, []).append(well)
    return tuple(_grid(plate, of_plate, ranges) for plate, of_plate in by_plate.items())


def _grid(plate: str, wells: Sequence[Well], ranges: Mapping[str | None, tuple[float, float]]) -> PlateGrid:
    cells = {}
    for well in wells:
        position = parse_well(well.well)
        cells[position] = GridWell(text=_text(well), role=well.role, share=_share(well, ranges))
    last_row, last_column = max(row for row, _ in cells), max(column for _, column in cells)
    n_rows, n_columns = next(
        ((rows, columns) for rows, columns in FORMATS if last_row <= rows and last_column <= columns),
        (last_row, last_column),
    )
    counts = {role: sum(well.role is role for well in wells) for role in Role}
    return PlateGrid(
        plate=plate,
        rows=tuple(row_letters(row) for row in range(1, n_rows + 1)),
        columns=n_columns,
        wells=cells,
        roles={role: count for role, count in counts.items() if count},
    )


def _text(well: Well) -> str:
    dose = "" if well.concentration_um is None else f" {well.concentration_um:g} µM"
    return f"{well.well}: {well.compound or well.role.label}{dose}, {well.cell_line}"


def _share(well: Well, ranges: Mapping[str | None, tuple[float, float]]) -> int:
    if well.role is not Role.TREATMENT or well.compound not in ranges:
        return 100
    if not well.concentration_um:
        return _LEAST_SHARE
    low, high = ranges[well.compound]
    part = 1.0 if high == low else (math.log(well.concentration_um) - low) / (high - low)
    return round(_LEAST_SHARE + (100 - _LEAST_SHARE) * part)


def _dose_ranges(wells: Sequence[Well]) -> dict[str | None, tuple[float, float]]:
    logs: dict[str | None, list[float]] = {}
    for well in wells:
        if well.role is Role.TREATMENT and well.concentration_um:
            logs.setdefault(well.compound, []).append(math.log(well.concentration_um))
    return {compound: (min(values), max(values)) for compound, values in logs.items()}
