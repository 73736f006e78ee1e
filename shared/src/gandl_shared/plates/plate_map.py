"""The plate map: which well contains what. A table with one row per well, or plate-shaped blocks.

All problems are reported at once. What was assumed while it was read is in `PlateMap.notes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.errors import InvalidPlateMap, Problem, raise_if
from gandl_shared.plates.columns import standard_column
from gandl_shared.plates.map_table.exclusion_marks import exclusion_problems
from gandl_shared.plates.map_table.published import read_published
from gandl_shared.plates.map_table.rows import read_rows
from gandl_shared.plates.map_table.site_rows import merge_site_rows
from gandl_shared.plates.tables import Table, TableForm, read_table, table_of_bytes, table_of_text
from gandl_shared.plates.tables.names import similar_names
from gandl_shared.plates.tables.quantities.doses import grouping_note, logarithm_note
from gandl_shared.plates.well import Well
from gandl_shared.schemas.vocabulary import Role

FORM = TableForm(name="plate map", error=InvalidPlateMap, column_of=standard_column)


@dataclass(frozen=True)
class PlateMap:
    """Wells in the order of the file; `source` names the file in messages, `notes` say what was assumed.

    `is_published` says that the wells are those of a public data set, of which a folder may hold a part only.
    """

    wells: tuple[Well, ...]
    source: str
    notes: tuple[str, ...] = ()
    is_published: bool = False

    @property
    def plates(self) -> tuple[str, ...]:
        """The names of the plates in order of first appearance."""
        return tuple(dict.fromkeys(well.plate for well in self.wells))

    @property
    def used(self) -> tuple[Well, ...]:
        """The wells with cells: all but the empty ones."""
        return tuple(well for well in self.wells if well.role is not Role.EMPTY)


def read_plate_map(
    path: Path, *, controls: bool = True, sheet: str | None = None, positive: Sequence[str] = ()
) -> PlateMap:
    """Read and check a plate map, CSV or .xlsx, or the table of a published data set.

    If `controls`, every cell line must have both controls. `sheet` names the sheet of a workbook; None takes the first
    one. `positive` names the positive control of a published data set that leaves the choice. Raises NotFound, BadInput
    for a positive control that is none, or InvalidPlateMap with one problem per row.
    """
    return _plate_map(read_table(path, FORM, sheet), controls=controls, positive=positive, folder=path.parent)


def parse_plate_map(text: str, *, source: str, controls: bool = True, positive: Sequence[str] = ()) -> PlateMap:
    """Check the text of a plate map as `read_plate_map` does. `source` names it in messages."""
    return _plate_map(table_of_text(text, source, FORM), controls=controls, positive=positive)


def plate_map_of_bytes(content: bytes, *, source: str, controls: bool = True, sheet: str | None = None) -> PlateMap:
    """Check the bytes of a file as `read_plate_map` does. `source` names it in messages."""
    return _plate_map(table_of_bytes(content, source, FORM, sheet), controls=controls)


def plate_map_of_table(
    table: Table, *, controls: bool = True, doses: bool = True, positive: Sequence[str] = (), folder: Path | None = None
) -> PlateMap:
    """Check a table as `read_plate_map` does. Without `doses`, treatments may have none if no column names any.

    `folder` is that of the table.
    """
    return _plate_map(table, controls=controls, doses=doses, positive=positive, folder=folder)


def _plate_map(
    table: Table, *, controls: bool, doses: bool = True, positive: Sequence[str] = (), folder: Path | None = None
) -> PlateMap:
    published = read_published(table, positive, folder, FORM)
    reading = published or read_rows(table, doses=doses)
    wells, source = reading.wells if published else merge_site_rows(reading.wells), table.source
    similar = _similar_names(wells, source)
    # The names of a published table are those of its publisher, and nobody can correct them there.
    notes = [f"{problem.field} {problem.detail.partition(';')[0]}" for problem in similar] if published else []
    problems = [
        *table.problems,
        *reading.problems,
        *exclusion_problems(table),
        *_repeated_wells(wells, source),
        *([] if published else similar),
    ]
    problems.sort(key=lambda problem: problem.row or 0)
    # A row with a problem may be the control that seems to be missing, so controls are checked only without problems.
    if not problems:
        problems = _missing_controls(wells, source, both=controls, is_published=published is not None)
    raise_if(problems, InvalidPlateMap, f"plate map {source} cannot be used")
    every_note = (*table.notes, *reading.notes, *notes, *_dose_notes(wells))
    return PlateMap(wells, source, every_note, is_published=published is not None)


def _repeated_wells(wells: Sequence[Well], source: str) -> list[Problem]:
    rows: dict[tuple[str, str], int] = {}
    problems = []
    for well in wells:
        first = rows.setdefault((well.plate, well.well), well.table_row)
        if first != well.table_row:
            detail = f"well {well.well} of plate {well.plate} is in rows {first} and {well.table_row}; keep one"
            problems.append(Problem(detail, file=source, row=well.table_row, field="well"))
    return problems


def _similar_names(wells: Sequence[Well], source: str) -> list[Problem]:
    return [
        problem
        for column in ("plate", "compound", "cell_line")
        for problem in similar_names(((w.table_row, getattr(w, column) or "") for w in wells), source, column)
    ]


def _dose_notes(wells: Sequence[Well]) -> list[str]:
    doses: dict[str, list[float]] = defaultdict(list)
    for well in wells:
        if well.role is Role.TREATMENT and well.compound and well.concentration_um is not None:
            doses[well.compound].append(well.concentration_um)
    return [note for note in (grouping_note(doses), logarithm_note(doses)) if note]


def _missing_controls(wells: Sequence[Well], source: str, *, both: bool, is_published: bool) -> list[Problem]:
    """Each cell line needs both controls: without them there is no efficacy axis, unless an earlier screen has one."""
    roles: dict[str, set[Role]] = defaultdict(set)
    for well in wells:
        if well.role is not Role.EMPTY:
            roles[well.cell_line].add(well.role)
    if not roles:
        return [Problem("every well is empty", file=source, field="role")]
    fix = "; choose one with --positive-control, such as taxol@0.3" if is_published else ""
    return [
        Problem(
            f"no {role.value} well for cell line {cell_line}; the efficacy axis needs both controls{fix}",
            file=source,
            field="role",
        )
        for cell_line, present in roles.items()
        for role in (Role.POSITIVE, Role.NEGATIVE)
        if both and role not in present
    ]
