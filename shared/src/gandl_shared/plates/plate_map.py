"""The plate map: which well holds what. One CSV row a well, read whole, every problem reported at once.

Names used by other tools are mapped by the two tables below and by nothing else; columns that are in neither are kept
as metadata of the well.
"""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gandl_shared.errors import InvalidPlateMap, NotFound, Problem, raise_if
from gandl_shared.plates.columns import plain_column
from gandl_shared.plates.separators import separator_of
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
"""Lower-case column names of others, without pycytominer's `Metadata_` prefix. `mmoles_per_liter` holds µM in the
JUMP and LINCS plate maps in spite of its name."""

UNSPECIFIED = "unspecified"
_WELL = re.compile(r"^([A-Za-z]{1,2})0*([1-9][0-9]?)$")


@dataclass(frozen=True)
class Well:
    """One well of one plate. `row` is the line of the plate map (header = 1); concentrations are in µM."""

    plate: str
    well: str
    role: Role
    compound: str | None
    concentration_um: float | None
    cell_line: str
    row: int
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlateMap:
    """Wells in the order of the file; `source` names the file in messages."""

    wells: tuple[Well, ...]
    source: str

    @property
    def plates(self) -> tuple[str, ...]:
        """Plate names in order of first appearance."""
        return tuple(dict.fromkeys(w.plate for w in self.wells))

    @property
    def used(self) -> tuple[Well, ...]:
        """The wells that hold cells to look at: all but the empty ones."""
        return tuple(w for w in self.wells if w.role is not Role.EMPTY)


def well_name(text: str) -> str:
    """`a1`, `A01` and `A001` are `A01`; two row letters are a 1536-well plate's. Raises ValueError."""
    found = _WELL.match(text.strip())
    if not found:
        raise ValueError(text)
    return f"{found[1].upper()}{int(found[2]):02d}"


def row_name(text: str) -> str:
    """Row letters from letters or from a number counted from 1 (`3` and `c` are `C`, `27` is `AA`)."""
    if not text.isdigit():
        return text.upper()
    n = int(text) - 1
    return chr(65 + n) if n < 26 else chr(64 + n // 26) + chr(65 + n % 26)


def read_plate_map(path: Path, *, controls: bool = True) -> PlateMap:
    """Read and check a plate map. `controls`: every cell line must have both. Raises NotFound, or InvalidPlateMap with
    one problem a row."""
    if not path.is_file():
        raise NotFound(f"plate map {path} is not there; give the path of a CSV file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidPlateMap(f"plate map {path.name} is not UTF-8 text: {error}") from error
    return parse_plate_map(text, source=path.name, controls=controls)


def parse_plate_map(text: str, *, source: str, controls: bool = True) -> PlateMap:
    """`read_plate_map` for text that is already here (a REST body)."""
    header, rows = _table(text, source)
    columns = _columns(header, source)
    problems: list[Problem] = []
    wells = [w for n, cells in rows if (w := _well(n, cells, columns, source, problems)) is not None]
    problems += _repeated(wells, source) + ([] if problems else _controls(wells, source, both=controls))
    raise_if(problems, InvalidPlateMap, f"plate map {source} cannot be used")
    return PlateMap(tuple(wells), source)


def plate_map_from_rows(rows: Iterable[Mapping[str, object]], *, source: str = "plate map") -> PlateMap:
    """A plate map given as records (JSON), checked as a file is; row n of a message is the n-th record + 1."""
    records = [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows]
    header = list(dict.fromkeys(k for record in records for k in record))
    lines = [header, *([record.get(k, "") for k in header] for record in records)]
    text = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)
    return parse_plate_map(text, source=source)


def _table(text: str, source: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    reader = csv.reader(text.splitlines(), delimiter=separator_of(text))
    header = [name.strip() for name in next(reader, [])]
    rows = [
        (reader.line_num, dict(zip(header, (c.strip() for c in cells), strict=False)))
        for cells in reader
        if any(c.strip() for c in cells)
    ]
    if not rows:
        raise InvalidPlateMap(f"plate map {source} has no rows; it needs a header and one row a well")
    return header, rows


def _columns(header: Sequence[str], source: str) -> dict[str, str]:
    """Our column name → the file's. Own names win over synonyms."""
    found: dict[str, str] = {}
    for name in header:
        plain = plain_column(name).lower()
        ours = COLUMN_NAMES.get(plain)
        if ours and (ours not in found or plain == ours):
            found[ours] = name
    missing = [c for c in ("plate", "well", "role") if c not in found]
    problems = [Problem(f"column '{c}' is missing; the header is: {', '.join(header)}", source, 1, c) for c in missing]
    raise_if(problems, InvalidPlateMap, f"plate map {source} cannot be used")
    return found


def _well(n: int, cells: dict[str, str], columns: dict[str, str], source: str, problems: list[Problem]) -> Well | None:
    def cell(name: str) -> str:
        return cells.get(columns[name], "") if name in columns else ""

    def wrong(field_: str, detail: str) -> None:
        problems.append(Problem(detail, source, n, columns.get(field_, field_)))

    before = len(problems)
    name = ""
    if not cell("plate"):
        wrong("plate", "no plate name")
    try:
        name = well_name(cell("well"))
    except ValueError:
        wrong("well", f"'{cell('well')}' is no well; wells look like A01 or P24")
    role = ROLE_NAMES.get(cell("role").lower())
    if role is None:
        wrong("role", f"unknown role '{cell('role')}'; use one of {', '.join(r.value for r in Role)}")
    dose = _dose(cell("concentration_um"), role, wrong)
    if role is Role.TREATMENT and not cell("compound"):
        wrong("compound", "a treatment needs a compound name")
    if len(problems) > before or role is None:
        return None
    extra = {k: v for k, v in cells.items() if k not in columns.values()}
    cell_line = cell("cell_line") or UNSPECIFIED
    return Well(cell("plate"), name, role, cell("compound") or None, dose, cell_line, n, extra)


def _dose(text: str, role: Role | None, wrong: Callable[[str, str], None]) -> float | None:
    if not text:
        if role is Role.TREATMENT:
            wrong("concentration_um", "a treatment needs a concentration in µM")
        return None
    try:
        dose = float(text)
    except ValueError:
        wrong("concentration_um", f"'{text}' is not a number; give the concentration in µM")
        return None
    if not math.isfinite(dose) or dose < 0 or (dose == 0 and role is Role.TREATMENT):
        wrong("concentration_um", f"{text} is no concentration; a treatment's is above 0 µM")
        return None
    return dose


def _repeated(wells: Sequence[Well], source: str) -> list[Problem]:
    seen: dict[tuple[str, str], int] = {}
    problems = []
    for w in wells:
        first = seen.setdefault((w.plate, w.well), w.row)
        if first != w.row:
            detail = f"well {w.well} of plate {w.plate} stands in rows {first} and {w.row}; keep one"
            problems.append(Problem(detail, source, w.row, "well"))
    return problems


def _controls(wells: Sequence[Well], source: str, *, both: bool) -> list[Problem]:
    """Each cell line needs both controls: without them there is no efficacy axis, unless an earlier screen has one."""
    roles: dict[str, set[Role]] = defaultdict(set)
    for w in wells:
        if w.role is not Role.EMPTY:
            roles[w.cell_line].add(w.role)
    return [
        Problem(
            f"no {role.value} well for cell line {line}; the efficacy axis needs both controls",
            source,
            None,
            "role",
        )
        for line, present in roles.items()
        for role in (Role.POSITIVE, Role.NEGATIVE)
        if both and role not in present
    ] or ([] if roles else [Problem("every well is empty", source, None, "role")])
