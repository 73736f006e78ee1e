"""The output folder of a screen as the input of another analysis, without images or model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gandl_shared.errors import InvalidTable, NotFound, Problem, raise_if
from gandl_shared.files.formulas import plain_text
from gandl_shared.plates import Role, Well, has_metadata_prefix, plain_column
from gandl_shared.plates.map_table.exclusion_marks import exclusion_reason
from gandl_shared.plates.tables import TableForm, read_table
from gandl_shared.schemas.analysis import AnalysisParameters, Exclusion, ExclusionLevel
from gandl_shared.schemas.vocabulary import EXCLUSION_BY
from gandl_shared.store import Profiles

from gandl_analysis.formats.embeddings import read_embeddings
from gandl_analysis.formats.output_folder import EMBEDDINGS, SITES, WELLS
from gandl_analysis.pipeline.image_qc import EXCLUSION_PREFIX
from gandl_analysis.pipeline.inputs import EarlierAxes, ScreenInput

_REQUIRED_COLUMNS = ("plate", "well", "role", "compound", "concentration_um", "cell_line")
FORM = TableForm(name="table", error=InvalidTable, column_of=lambda name: name if name in _REQUIRED_COLUMNS else None)
_MARKED = TableForm(name="table", error=InvalidTable, column_of=lambda name: name)
_LEFT_OUT = f" that the column 'excluded' of {WELLS} or {SITES} names are left out"
_MAX_REASON, _MAX_AUTHOR = 1000, 100
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


def with_exclusions(screen: ScreenInput, folder: Path) -> ScreenInput:
    """Return the screen of a folder with the exclusions of its tables among its parameters, and a note about them.

    Exclusions that the parameters name themselves come first: then the tables are not asked. Raises InvalidTable for a
    `sites.csv` that cannot be read.
    """
    if screen.parameters.exclusions is not None:
        return screen
    exclusions = folder_exclusions(folder, screen.wells)
    if not exclusions:
        return screen
    n_sites = sum(e.level is ExclusionLevel.SITE for e in exclusions)
    counts = [(len(exclusions) - n_sites, "wells"), (n_sites, "fields of view")]
    what = " and ".join(f"{n} {things}" for n, things in counts if n)
    earlier = tuple(note for note in screen.notes if not note.endswith(_LEFT_OUT))
    parameters = screen.parameters.model_copy(update={"exclusions": exclusions})
    return replace(screen, parameters=parameters, notes=(*earlier, f"{what}{_LEFT_OUT}"))


def folder_exclusions(folder: Path, wells: Sequence[Well]) -> tuple[Exclusion, ...]:
    """Return what the column `excluded` of `wells.csv` and `sites.csv` leaves out of the `wells`.

    What image QC left out is not among them, because every analysis judges the images itself. A well that a person took
    out of its curve only, which has an efficacy beside their text, is taken out of the curve again.
    """
    used = {(w.plate, w.well) for w in wells if w.role is not Role.EMPTY}
    items: list[dict[str, str]] = []
    whole = set()
    for row, text in _marked_rows(folder / WELLS):
        key = row["plate"], row["well"]
        if key in used:
            whole.add(key)
            items.append({"level": _level(row, text), "plate": key[0], "well": key[1], "text": text})
    for row, text in _marked_rows(folder / SITES):
        key = row["plate"], row["well"]
        # The sites of a well that is left out carry its text.
        if key in used and key not in whole:
            site = {"level": ExclusionLevel.SITE, "plate": key[0], "well": key[1], "site": row["site"], "text": text}
            items.append(site)
    return tuple(_exclusion(item, number) for number, item in enumerate(items, start=1))


def _marked_rows(path: Path) -> Iterator[tuple[Mapping[str, str], str]]:
    """Yield each row of a table with a reason in `excluded`; older folders have no `sites.csv` or no such column."""
    if not path.is_file():
        return
    table = read_table(path, _MARKED)
    problems = [
        Problem(f"row {row} has {n} cells, the header {len(table.header)}; complete it", file=path.name, row=row)
        for row, n in table.short_rows.items()
    ]
    raise_if([*table.problems, *problems], InvalidTable, f"{path.name} cannot be used")
    if "excluded" not in table.header:
        return
    for row in table.rows:
        cells = dict(zip(table.header, map(plain_text, row.cells), strict=True))
        reason = exclusion_reason(cells["excluded"].strip())
        if reason is not None and not reason.startswith(EXCLUSION_PREFIX):
            yield cells, reason


def _level(row: Mapping[str, str], text: str) -> ExclusionLevel:
    of_curve = text.startswith(EXCLUSION_BY) and row["role"] == Role.TREATMENT and row.get("efficacy", "")
    return ExclusionLevel.POINT if of_curve else ExclusionLevel.WELL


def _exclusion(item: Mapping[str, str], number: int) -> Exclusion:
    fields = {name: value for name, value in item.items() if name != "text"}
    text = item["text"]
    author, _, reason = text.removeprefix(EXCLUSION_BY).partition(": ")
    if not text.startswith(EXCLUSION_BY) or not author.strip() or not reason.strip() or len(author) > _MAX_AUTHOR:
        author, reason = SITES if "site" in item else WELLS, text
    return Exclusion.model_validate({**fields, "author": author, "reason": reason[:_MAX_REASON], "decision": number})
