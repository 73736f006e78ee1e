"""The output folder of `gandl screen`, read back: all that an analysis needs, without images or model."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from gandl_shared.errors import Invalid, InvalidTable, NotFound, Problem, raise_if
from gandl_shared.plates import Role, Well, has_metadata_prefix, plain_column
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.store import Profiles, read_profiles
from pydantic import ValidationError

from gandl_analysis.formats.output_folder import ABOUT, Embedded
from gandl_analysis.pipeline.inputs import EarlierAxes, ScreenInput

_EMBEDDINGS, _WELLS = "embeddings.parquet", "wells.csv"
_NEEDED = ("plate", "well", "role", "compound", "concentration_um", "cell_line")


def read_folder(folder: Path, parameters: AnalysisParameters, earlier: EarlierAxes | None = None) -> ScreenInput:
    """`embeddings.parquet` and `wells.csv` of a folder that `gandl screen` or `gandl analyse` wrote.

    Raises NotFound for a file that is not there, Invalid and InvalidTable naming file, row and field.
    """
    for name in (_EMBEDDINGS, _WELLS):
        if not (folder / name).is_file():
            raise NotFound(f"{folder / name} is not there; give the output folder of `gandl screen`")
    about = _about(folder / _EMBEDDINGS)
    with (folder / _EMBEDDINGS).open("rb") as file:
        profiles = read_profiles(file)
    if profiles.vectors.shape[1] != about.model.features:
        detail = f"{profiles.vectors.shape[1]} columns gandl_…, its model has {about.model.features} features"
        raise Invalid(f"{_EMBEDDINGS} has {detail}", problems=[Problem(detail, file=_EMBEDDINGS)])
    wells = _wells(folder / _WELLS)
    raise_if(_strangers(profiles, wells), InvalidTable, f"{_WELLS} cannot be used")
    return ScreenInput(
        name=about.screen_name,
        profiles=profiles,
        wells=wells,
        parked=about.parked,
        parameters=parameters,
        card=about.model,
        model_id=about.model_id,
        limits=about.limits,
        limits_from=about.limits_from,
        earlier=earlier,
    )


def _about(path: Path) -> Embedded:
    try:
        kept = (pq.read_schema(path).metadata or {}).get(ABOUT.encode())
        if kept is not None:
            return Embedded.model_validate_json(kept)
        why = "does not say how its vectors were made"
    except (pa.ArrowInvalid, OSError) as error:
        why = f"is no Parquet file: {str(error).splitlines()[0]}"
    except ValidationError as error:
        why = f"says in another form how its vectors were made ({error.errors()[0]['loc']})"
    raise Invalid(f"{path.name} {why}; screen the images again", problems=[Problem(why, file=path.name)])


def _wells(path: Path) -> tuple[Well, ...]:
    """Rows as `wells_csv` wrote them; names are what they are, not those of others' plate maps."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            rows, header = list(reader), list(reader.fieldnames or ())
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidTable(f"{path.name} is not CSV text in UTF-8: {error}") from error
    missing = [
        Problem("column is missing", file=path.name, row=1, field=name) for name in _NEEDED if name not in header
    ]
    raise_if(missing, InvalidTable, f"{path.name} cannot be used")
    problems: list[Problem] = []
    wells = [w for n, row in enumerate(rows, start=2) if (w := _well(row, n, path.name, problems)) is not None]
    raise_if(problems + _repeated(wells, path.name), InvalidTable, f"{path.name} cannot be used")
    return tuple(wells)


def _well(row: Mapping[str, str | None], n: int, file: str, problems: list[Problem]) -> Well | None:
    cells = {name: value or "" for name, value in row.items() if name}
    metadata = {plain_column(name): value for name, value in cells.items() if has_metadata_prefix(name)}
    before = len(problems)
    for name in ("plate", "well", "cell_line"):
        if not cells[name]:
            problems.append(Problem("is empty", file=file, row=n, field=name))
    if cells["role"] not in list(Role):
        problems.append(Problem(f"'{cells['role']}' is not one of {', '.join(Role)}", file=file, row=n, field="role"))
    dose = _dose(cells["concentration_um"], n, file, problems)
    if len(problems) > before:
        return None
    return Well(
        plate=cells["plate"],
        well=cells["well"],
        role=Role(cells["role"]),
        compound=cells["compound"] or None,
        concentration_um=dose,
        cell_line=cells["cell_line"],
        table_row=n,
        metadata=metadata,
    )


def _dose(text: str, n: int, file: str, problems: list[Problem]) -> float | None:
    if not text:
        return None
    try:
        dose = float(text)
    except ValueError:
        dose = math.nan
    if not math.isfinite(dose) or dose < 0:
        problems.append(Problem(f"'{text}' is no concentration in µM", file=file, row=n, field="concentration_um"))
    return dose


def _strangers(profiles: Profiles, wells: Sequence[Well]) -> list[Problem]:
    """Wells with tiles that have no row."""
    known = {(w.plate, w.well) for w in wells}
    missing = [p for p in dict.fromkeys(zip(profiles.plates, profiles.wells, strict=True)) if p not in known]
    return [
        Problem(f"no row for well {well} of plate {plate}, which has tiles", file=_WELLS) for plate, well in missing
    ]


def _repeated(wells: list[Well], file: str) -> list[Problem]:
    seen: dict[tuple[str, str], int] = {}
    return [
        Problem(f"well {w.well} of plate {w.plate} is in row {first} already", file=file, row=w.table_row, field="well")
        for w in wells
        if (first := seen.setdefault((w.plate, w.well), w.table_row)) != w.table_row
    ]
