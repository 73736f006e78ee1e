"""The output folder of a screen as the input of another analysis, without images or model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from gandl_shared.errors import InvalidTable, NotFound, Problem, raise_if
from gandl_shared.files.formulas import plain_text
from gandl_shared.plates import Role, Well, has_metadata_prefix, plain_column
from gandl_shared.plates.tables import TableForm, read_table
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.store import Profiles

from gandl_analysis.formats.embeddings import read_embeddings
from gandl_analysis.formats.output_folder import EMBEDDINGS, WELLS
from gandl_analysis.pipeline.inputs import EarlierAxes, ScreenInput

_REQUIRED_COLUMNS = ("plate", "well", "role", "compound", "concentration_um", "cell_line")
FORM = TableForm(name="table", error=InvalidTable, column_of=lambda name: name if name in _REQUIRED_COLUMNS else None)
_NEVER_EMPTY = ("plate", "well", "cell_line")


def read_folder(folder: Path, parameters: AnalysisParameters, earlier: EarlierAxes | None = None) -> ScreenInput:
    """Read `embeddings.parquet` and `wells.csv` of a folder that `gandl screen` or `gandl analyse` wrote.

    Raises NotFound for a missing file, and Invalid or InvalidTable naming file, row and field.
    """
    for name in (EMBEDDINGS, WELLS):
        if not (folder / name).is_file():
            raise NotFound(f"{folder / name} is not there; give the output folder of `gandl screen`")
    profiles, header = read_embeddings(folder / EMBEDDINGS)
    wells = read_wells(folder / WELLS)
    raise_if(_tiles_without_well(profiles, wells), InvalidTable, f"{WELLS} cannot be used")
    return ScreenInput(
        name=header.screen_name,
        profiles=profiles,
        wells=wells,
        parked=header.parked,
        parameters=parameters,
        card=header.model,
        model_id=header.model_id,
        limits=header.limits,
        limits_from=header.limits_from,
        image_layout=header.image_layout,
        intensities=header.intensities,
        earlier=earlier,
        notes=header.notes,
    )


def read_wells(path: Path) -> tuple[Well, ...]:
    """Read a `wells.csv` that gandl wrote; unlike in a plate map, column names and roles of other tools are unknown.

    Raises InvalidTable naming each row and field that cannot be used.
    """
    table = read_table(path, FORM)
    missing = [
        Problem("column is missing", file=path.name, row=table.header_row, field=name)
        for name in _REQUIRED_COLUMNS
        if name not in table.header
    ]
    raise_if([*missing, *table.problems], InvalidTable, f"{path.name} cannot be used")
    problems = [
        Problem(f"row {row} has {n} cells, the header {len(table.header)}; complete it", file=path.name, row=row)
        for row, n in table.short_rows.items()
    ]
    parsed = [
        _well(dict(zip(table.header, map(plain_text, row.cells), strict=True)), row.number, path.name, problems)
        for row in table.rows
    ]
    wells = tuple(well for well in parsed if well is not None)
    raise_if(problems + _repeated(wells, path.name), InvalidTable, f"{path.name} cannot be used")
    return wells


def _well(cells: Mapping[str, str], table_row: int, file: str, problems: list[Problem]) -> Well | None:
    """Return the well of a record, or None after adding what is wrong with it to `problems`."""
    # All problems of a row are collected before the row is refused, so that one run shows them all.
    before = len(problems)
    problems += [Problem("is empty", file=file, row=table_row, field=name) for name in _NEVER_EMPTY if not cells[name]]
    if cells["role"] not in list(Role):
        detail = f"'{cells['role']}' is not one of {', '.join(Role)}"
        problems.append(Problem(detail, file=file, row=table_row, field="role"))
    dose = _dose(cells["concentration_um"], table_row, file, problems)
    if len(problems) > before:
        return None
    return Well(
        plate=cells["plate"],
        well=cells["well"],
        role=Role(cells["role"]),
        compound=cells["compound"] or None,
        concentration_um=dose,
        cell_line=cells["cell_line"],
        table_row=table_row,
        metadata={plain_column(name): value for name, value in cells.items() if has_metadata_prefix(name)},
    )


def _dose(text: str, table_row: int, file: str, problems: list[Problem]) -> float | None:
    if not text:
        return None
    try:
        dose = float(text)
    except ValueError:
        dose = math.nan
    if not math.isfinite(dose) or dose < 0:
        detail = f"'{text}' is not a concentration in µM"
        problems.append(Problem(detail, file=file, row=table_row, field="concentration_um"))
    return dose


def _tiles_without_well(profiles: Profiles, wells: Sequence[Well]) -> list[Problem]:
    listed = {(w.plate, w.well) for w in wells}
    keys = dict.fromkeys(zip(profiles.plates, profiles.wells, strict=True))
    missing = [key for key in keys if key not in listed]
    return [Problem(f"no row for well {well} of plate {plate}, which has tiles", file=WELLS) for plate, well in missing]


def _repeated(wells: Sequence[Well], file: str) -> list[Problem]:
    first_rows: dict[tuple[str, str], int] = {}
    return [
        Problem(f"well {w.well} of plate {w.plate} is in row {first} already", file=file, row=w.table_row, field="well")
        for w in wells
        if (first := first_rows.setdefault((w.plate, w.well), w.table_row)) != w.table_row
    ]
