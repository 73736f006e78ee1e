"""The image table of BBBC021 (https://bbbc.broadinstitute.org/BBBC021), and its table of mechanisms of action.

`BBBC021_v1_image.csv` has one row per field of view with the names of three files; `BBBC021_v1_moa.csv` names the
mechanism of action of some compounds at some concentrations. DMSO is the negative control. The table names no positive
control, so the reader of a screen chooses a compound.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from gandl_shared.errors import Problem
from gandl_shared.plates.columns import column_key
from gandl_shared.plates.map_table.published.positive import CompoundDose, compound_doses
from gandl_shared.plates.map_table.published.site_table import SiteTable, WellRows, first_of_kind
from gandl_shared.plates.map_table.reading import MapReading
from gandl_shared.plates.map_table.site_rows import SEPARATOR
from gandl_shared.plates.tables.names import fold_name
from gandl_shared.plates.tables.table import Row, Table
from gandl_shared.plates.well import Well
from gandl_shared.schemas.vocabulary import Role

MOA_TABLE = "BBBC021_v1_moa.csv"
CHANNELS = ("DAPI", "Tubulin", "Actin")
CELL_LINE = "MCF7"
"""The cells of all plates; the table does not name them."""

_PLATE, _WELL = "image_metadata_plate_dapi", "image_metadata_well_dapi"
_COMPOUND, _DOSE = "image_metadata_compound", "image_metadata_concentration"
_FILES = {f"image_filename_{name.lower()}": f"FileName_{name}" for name in CHANNELS}
_PATHS = {f"image_pathname_{name.lower()}": f"PathName_{name}" for name in CHANNELS}
_SITE = re.compile(r"(?:^|_)s(\d+)_w\d")
_VEHICLE = "dmso"

Mechanisms = Mapping[tuple[str, str], str]
"""The mechanism of action by compound (in lower case) and concentration (three digits, as text)."""


def is_bbbc021(header: Sequence[str]) -> bool:
    """Return whether a header is that of the image table of BBBC021."""
    keys = {column_key(name) for name in header}
    return {_PLATE, _COMPOUND} <= keys


def mechanisms(table: Table) -> Mechanisms:
    """Return the mechanisms of action. Raises InvalidPlateMap where a column of the table is missing."""
    rows = SiteTable(table, ("compound", "concentration", "moa"), MOA_TABLE)
    return {
        (fold_name(rows.cell(row, "compound")).casefold(), _dose_key(rows.cell(row, "concentration"))): rows.cell(
            row, "moa"
        )
        for row in table.rows
    }


def read_bbbc021(table: Table, positive: Sequence[str], moa: Mechanisms | None) -> MapReading:
    """Return the wells of the image table. `positive` are compounds such as `taxol` or `taxol@0.3` (µM).

    The files of the wells are in columns as those of LoadData. Raises InvalidPlateMap where a column is missing.
    """
    required = (_PLATE, _WELL, _COMPOUND, _DOSE, *_FILES, *_PATHS)
    sites = SiteTable(table, required, "BBBC021's image table")
    problems: list[Problem] = []
    wells = sites.wells((sites.cell(row, _PLATE) for row in table.rows), _WELL, problems)
    content = sites.disagreements(wells, (_COMPOUND, _DOSE))
    problems += first_of_kind(content, "rows that disagree with another row of their well")
    controls = compound_doses(positive)
    read: list[Well] = []
    for rows in wells:
        dose = _dose(sites.cell(rows.rows[0], _DOSE))
        if dose is None:
            text = sites.cell(rows.rows[0], _DOSE)
            problems.append(sites.problem(rows.number, _DOSE, f"'{text}' is no concentration in µM"))
        else:
            read.append(_well(sites, rows, dose, controls, moa))
    return MapReading(wells=tuple(read), problems=tuple(problems), notes=tuple(_notes(positive, moa)))


def _well(
    sites: SiteTable, rows: WellRows, dose: float, controls: Sequence[CompoundDose], moa: Mechanisms | None
) -> Well:
    first = rows.rows[0]
    compound = fold_name(sites.cell(first, _COMPOUND))
    role = _role(compound, dose, controls)
    metadata = {header: SEPARATOR.join(_cells(sites, rows.rows, key)) for key, header in (_FILES | _PATHS).items()}
    matches = [_SITE.search(name) for name in _cells(sites, rows.rows, "image_filename_dapi")]
    if all(matches):
        metadata["site"] = SEPARATOR.join(match[1] for match in matches if match)
    if moa is not None:
        metadata["moa"] = moa.get((compound.casefold(), _dose_key(sites.cell(first, _DOSE))), "")
    return Well(
        plate=rows.plate,
        well=rows.well,
        role=role,
        compound=compound if role is not Role.EMPTY else None,
        concentration_um=dose if dose > 0 else None,
        cell_line=CELL_LINE,
        table_row=rows.number,
        metadata={**metadata, **sites.further(first, ("replicate",))},
    )


def _role(compound: str, dose: float, controls: Sequence[CompoundDose]) -> Role:
    if compound.casefold() == _VEHICLE:
        return Role.NEGATIVE
    if any(control.fits(compound, dose) for control in controls):
        return Role.POSITIVE
    return Role.TREATMENT if compound and dose > 0 else Role.EMPTY


def _cells(sites: SiteTable, rows: Sequence[Row], column: str) -> list[str]:
    return [sites.cell(row, column) for row in rows]


def _dose(text: str) -> float | None:
    try:
        dose = float(text or 0)
    except ValueError:
        return None
    return dose if math.isfinite(dose) and dose >= 0 else None


def _dose_key(text: str) -> str:
    """Return a concentration so that 0.3 and 0.300 are one; three digits, because the two tables round differently."""
    dose = _dose(text)
    return text if dose is None else f"{dose:.3g}"


def _notes(positive: Sequence[str], moa: Mechanisms | None) -> list[str]:
    notes = [f"DMSO of BBBC021 was read as negative control, and the cells are {CELL_LINE}"]
    if positive:
        notes.append(f"{', '.join(positive)} was read as positive control, as chosen with --positive-control")
    if moa is None:
        notes.append(f"{MOA_TABLE} is not beside the image table, so the wells have no mechanism of action")
    return notes
