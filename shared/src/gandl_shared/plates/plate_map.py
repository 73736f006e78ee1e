"""The plate map: which well contains what. A CSV file with one row per well; all problems are reported at once.

The two tables below, and nothing else, translate the names that other tools use. Columns that are not in the tables
become metadata of the well.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gandl_shared.errors import InvalidPlateMap, NotFound, Problem, raise_if
from gandl_shared.plates.columns import plain_column
from gandl_shared.plates.separators import separator_of
from gandl_shared.plates.well_names import standard_well_name
from gandl_shared.schemas.vocabulary import Role

ROLE_NAMES: Mapping[str, Role] = {
    **{role.value: role for role in Role},
    "positive": Role.POSITIVE,
    "poscon": Role.POSITIVE,
    "pos": Role.POSITIVE,
    "mock": Role.POSITIVE,
    "uninfected": Role.POSITIVE,
    "negative": Role.NEGATIVE,
    "negcon": Role.NEGATIVE,
    "neg": Role.NEGATIVE,
    "dmso": Role.NEGATIVE,
    "vehicle": Role.NEGATIVE,
    "viral": Role.NEGATIVE,
    "active sars-cov-2": Role.NEGATIVE,
    "treated": Role.TREATMENT,
    "trt": Role.TREATMENT,
    "compound": Role.TREATMENT,
    "sample": Role.TREATMENT,
    "blank": Role.EMPTY,
    "": Role.EMPTY,
}

COLUMN_NAMES: Mapping[str, str] = {
    "plate": "plate",
    "plate_id": "plate",
    "barcode": "plate",
    "well": "well",
    "well_position": "well",
    "well_id": "well",
    "role": "role",
    "control_type": "role",
    "pert_type": "role",
    "disease_condition": "role",
    "compound": "compound",
    "treatment": "compound",
    "pert_iname": "compound",
    "compound_name": "compound",
    "concentration_um": "concentration_um",
    "treatment_conc": "concentration_um",
    "mmoles_per_liter": "concentration_um",
    "dose_um": "concentration_um",
    "cell_line": "cell_line",
    "cell_type": "cell_line",
}
"""Our name of each column, by its lower-case name without pycytominer's prefix `Metadata_`. `mmoles_per_liter` contains
µM in the JUMP and LINCS plate maps in spite of its name."""

UNSPECIFIED = "unspecified"
"""The cell line of a well without one."""

_REQUIRED_COLUMNS = ("plate", "well", "role")


@dataclass(frozen=True, kw_only=True)
class Well:
    """One well of one plate. `table_row` is the row of the CSV file (the header is 1); concentrations are in µM."""

    plate: str
    well: str
    role: Role
    compound: str | None
    concentration_um: float | None
    cell_line: str
    table_row: int
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def experiment(self) -> str:
        """The value of the column `experiment` of the plate map; empty without that column."""
        return next((v for k, v in self.metadata.items() if plain_column(k).lower() == "experiment"), "")


@dataclass(frozen=True)
class PlateMap:
    """Wells in the order of the file; `source` names the file in messages."""

    wells: tuple[Well, ...]
    source: str

    @property
    def plates(self) -> tuple[str, ...]:
        """The names of the plates in order of first appearance."""
        return tuple(dict.fromkeys(well.plate for well in self.wells))

    @property
    def used(self) -> tuple[Well, ...]:
        """The wells with cells: all but the empty ones."""
        return tuple(well for well in self.wells if well.role is not Role.EMPTY)


def read_plate_map(path: Path, *, controls: bool = True) -> PlateMap:
    """Read and check a plate map. If `controls`, every cell line must have both controls.

    Raises NotFound, or InvalidPlateMap with one problem per row.
    """
    if not path.is_file():
        raise NotFound(f"plate map {path} is not there; give the path of a CSV file")
    try:
        # Excel writes an invisible mark at the start of UTF-8 files, which must not become part of a column name.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidPlateMap(f"plate map {path.name} is not UTF-8 text: {error}") from error
    return parse_plate_map(text, source=path.name, controls=controls)


def parse_plate_map(text: str, *, source: str, controls: bool = True) -> PlateMap:
    """Check the text of a plate map as `read_plate_map` does. `source` names it in messages."""
    header, table = _read_table(text, source)
    reader = _RowReader(source, _columns(header, source))
    rows = [reader.well(table_row, cells) for table_row, cells in table]
    wells = [well for well in rows if well is not None]
    problems = reader.problems + _repeated_wells(wells, source)
    # A row with a problem may be the control that seems to be missing, so controls are checked only without problems.
    if not problems:
        problems = _missing_controls(wells, source, both=controls)
    raise_if(problems, InvalidPlateMap, f"plate map {source} cannot be used")
    return PlateMap(tuple(wells), source)


def _read_table(text: str, source: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the header, and each row with its number in the file as cells by the name of their column."""
    reader = csv.reader(text.splitlines(), delimiter=separator_of(text))
    header = [name.strip() for name in next(reader, [])]
    # Spreadsheets export empty rows as lines of separators only, and these are no wells.
    table = [
        (reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=False)))
        for cells in reader
        if any(cell.strip() for cell in cells)
    ]
    if not table:
        raise InvalidPlateMap(f"plate map {source} has no rows; it needs a header and one row per well")
    return header, table


def _columns(header: Sequence[str], source: str) -> dict[str, str]:
    """Return the file's name of each of our columns. Our own name wins over the names of other tools."""
    columns: dict[str, str] = {}
    for name in header:
        plain = plain_column(name).lower()
        column = COLUMN_NAMES.get(plain)
        if column and (column not in columns or plain == column):
            columns[column] = name
    missing = [column for column in _REQUIRED_COLUMNS if column not in columns]
    header_text = ", ".join(header)
    problems = [
        Problem(f"column '{c}' is missing; the header is: {header_text}", file=source, row=1, field=c) for c in missing
    ]
    raise_if(problems, InvalidPlateMap, f"plate map {source} cannot be used")
    return columns


class _RowReader:
    """Turn the rows of a plate map into wells; `problems` collects what is wrong with them."""

    def __init__(self, source: str, columns: Mapping[str, str]) -> None:
        self._source = source
        self._columns = columns
        self.problems: list[Problem] = []

    def well(self, table_row: int, cells: Mapping[str, str]) -> Well | None:
        """Return the well of a row, or None after its problems were added to `problems`."""
        text = {ours: cells.get(column, "") for ours, column in self._columns.items()}
        before = len(self.problems)

        def report(column: str, detail: str) -> None:
            name = self._columns.get(column, column)
            self.problems.append(Problem(detail, file=self._source, row=table_row, field=name))

        if not text["plate"]:
            report("plate", "no plate name")
        name = _well_name(text["well"], report)
        role = _role(text["role"], report)
        dose = _dose(text.get("concentration_um", ""), role, report)
        compound = text.get("compound") or None
        if role is Role.TREATMENT and not compound:
            report("compound", "a treatment needs a compound name")
        if len(self.problems) > before or role is None:
            return None
        return Well(
            plate=text["plate"],
            well=name,
            role=role,
            compound=compound,
            concentration_um=dose,
            cell_line=text.get("cell_line") or UNSPECIFIED,
            table_row=table_row,
            metadata={column: cell for column, cell in cells.items() if column not in self._columns.values()},
        )


Report = Callable[[str, str], None]  # takes our name of a column and a problem of its cell


def _well_name(text: str, report: Report) -> str:
    try:
        return standard_well_name(text)
    except ValueError:
        report("well", f"'{text}' is no well; wells look like A01 or P24")
        return ""


def _role(text: str, report: Report) -> Role | None:
    role = ROLE_NAMES.get(text.lower())
    if role is None:
        report("role", f"unknown role '{text}'; use one of {', '.join(Role)}")
    return role


def _dose(text: str, role: Role | None, report: Report) -> float | None:
    if not text:
        if role is Role.TREATMENT:
            report("concentration_um", "a treatment needs a concentration in µM")
        return None
    try:
        dose = float(text)
    except ValueError:
        report("concentration_um", f"'{text}' is not a number; give the concentration in µM")
        return None
    # Python reads the texts 'nan' and 'inf' as numbers too, but they are no concentrations.
    if not math.isfinite(dose) or dose < 0 or (dose == 0 and role is Role.TREATMENT):
        report("concentration_um", f"{text} is no concentration; a treatment's is above 0 µM")
        return None
    return dose


def _repeated_wells(wells: Sequence[Well], source: str) -> list[Problem]:
    rows: dict[tuple[str, str], int] = {}
    problems = []
    for well in wells:
        first = rows.setdefault((well.plate, well.well), well.table_row)
        if first != well.table_row:
            detail = f"well {well.well} of plate {well.plate} is in rows {first} and {well.table_row}; keep one"
            problems.append(Problem(detail, file=source, row=well.table_row, field="well"))
    return problems


def _missing_controls(wells: Sequence[Well], source: str, *, both: bool) -> list[Problem]:
    """Each cell line needs both controls: without them there is no efficacy axis, unless an earlier screen has one."""
    roles: dict[str, set[Role]] = defaultdict(set)
    for well in wells:
        if well.role is not Role.EMPTY:
            roles[well.cell_line].add(well.role)
    if not roles:
        return [Problem("every well is empty", file=source, field="role")]
    return [
        Problem(
            f"no {role.value} well for cell line {cell_line}; the efficacy axis needs both controls",
            file=source,
            field="role",
        )
        for cell_line, present in roles.items()
        for role in (Role.POSITIVE, Role.NEGATIVE)
        if both and role not in present
    ]
