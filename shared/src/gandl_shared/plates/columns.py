"""Column names of tables of wells: those of other tools, and pycytominer's prefix `Metadata_`."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence

from gandl_shared.errors import Problem
from gandl_shared.plates.tables.quantities.units import dose_scale
from gandl_shared.plates.tables.table import Table

METADATA_PREFIX = "Metadata_"
FILE_COLUMN = re.compile(r"^(?:channel_|FileName_Orig|FileName_|file_)(?P<channel>.+)$", re.IGNORECASE)
"""Columns that may name the image files of a channel: our own, and those of CellProfiler's LoadData."""
DOSE = "concentration_um"

COLUMN_NAMES: Mapping[str, str] = {
    "plate": "plate",
    "plate_id": "plate",
    "plate_name": "plate",
    "plate_barcode": "plate",
    "assay_plate_barcode": "plate",
    "barcode": "plate",
    "well": "well",
    "well_position": "well",
    "well_name": "well",
    "well_id": "well",
    "address": "well",
    "role": "role",
    "control_type": "role",
    "pert_type": "role",
    "disease_condition": "role",
    "compound": "compound",
    "treatment": "compound",
    "pert_iname": "compound",
    "compound_name": "compound",
    "drug": "compound",
    "drug_name": "compound",
    "concentration_um": DOSE,
    "treatment_conc": DOSE,
    "mmoles_per_liter": DOSE,
    "dose_um": DOSE,
    "concentration_unit": "concentration_unit",
    "conc_unit": "concentration_unit",
    "dose_unit": "concentration_unit",
    "pert_dose_unit": "concentration_unit",
    "concentration_units": "concentration_unit",
    "conc_units": "concentration_unit",
    "dose_units": "concentration_unit",
    "unit": "concentration_unit",
    "units": "concentration_unit",
    "cell_line": "cell_line",
    "cell_type": "cell_line",
}
"""Our name of each column, by its key (see `column_key`). `mmoles_per_liter` contains µM in the JUMP and LINCS plate
maps in spite of its name. Any other header that names a concentration is a `concentration_um` too (see `units`)."""

COMPOUND_NUMBERS = ("broad_sample", "jcp2022", "pert_id", "compound_id")
"""Columns with a number for each compound or batch of it: they name the compound where no other column does."""


def plain_column(name: str) -> str:
    """Return the name of a column without the prefix, which is recognised in any case; the rest keeps its case."""
    return name[len(METADATA_PREFIX) :] if has_metadata_prefix(name) else name


def metadata_column(name: str) -> str:
    """Return the name of a column with the prefix, which is the form that gandl writes to files."""
    return METADATA_PREFIX + plain_column(name)


def has_metadata_prefix(name: str) -> bool:
    """Return True if the name of a column begins with the prefix, in any case."""
    return name.lower().startswith(METADATA_PREFIX.lower())


def column_key(name: str) -> str:
    """Return a name as `COLUMN_NAMES` has it: without prefix, in lower case, with `_` for blanks and dashes."""
    folded = unicodedata.normalize("NFKC", plain_column(name.strip())).casefold()
    return re.sub(r"[\s\-]+", "_", folded).strip("_")


@functools.lru_cache(maxsize=4096)
def standard_column(name: str) -> str | None:
    """Return our name of a column by its cell in the header, or None for a further column."""
    column = COLUMN_NAMES.get(column_key(name))
    if column is None and dose_scale(plain_column(name)) is not None:
        return DOSE
    return column


def choose_column(table: Table, column: str, indices: Sequence[int], problems: list[Problem], notes: list[str]) -> int:
    """Return which of the columns of one meaning is read; our own name wins.

    Differences between them are added to `notes` where they cannot matter, and to `problems` where only the user knows
    which column is right.
    """
    own = [i for i in indices if column_key(table.header[i]) == column]
    choice = (own or indices)[0]
    for i in indices:
        one, other = table.header[choice], table.header[i]
        difference = None if one == other else _difference(table, choice, i)
        if difference is None:
            continue
        row, first, second = difference
        if _is_certain(table, column, choice, i, has_own=len(own) == 1):
            notes.append(
                f"columns '{one}' and '{other}' differ (row {row}: '{first}' and '{second}'); '{one}' was used"
            )
        else:
            detail = (
                f"columns '{one}' and '{other}' both name the {column}, and differ: '{first}' and '{second}'; "
                f"name the right one {column}, and the other one otherwise"
            )
            problems.append(Problem(detail, file=table.source, row=row, field=other))
    return choice


def _is_certain(table: Table, column: str, choice: int, other: int, *, has_own: bool) -> bool:
    """Return True if the choice between two columns cannot mix up wells.

    A number of a batch beside the name of a compound, one for each, does not matter; one for several compounds does.
    """
    if column not in ("plate", "compound", "cell_line"):
        return has_own
    pairs = {(row.cells[choice], row.cells[other]) for row in table.rows}
    is_one_to_one = len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    return is_one_to_one and (has_own or column != "plate")


def _difference(table: Table, first: int, second: int) -> tuple[int, str, str] | None:
    pairs = ((row.number, row.cells[first], row.cells[second]) for row in table.rows)
    return next((pair for pair in pairs if pair[1] != pair[2]), None)


def is_file_column(name: str) -> bool:
    """Return whether a column may name image files, by its name: `channel_…`, `file_…` or LoadData's `FileName_…`."""
    return FILE_COLUMN.match(name) is not None
