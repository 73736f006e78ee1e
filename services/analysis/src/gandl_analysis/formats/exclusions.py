"""What the tables of an output folder mark as excluded, so that another analysis of the folder leaves it out too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.files.formulas import plain_text
from gandl_shared.plates import Role, Well
from gandl_shared.plates.tables import TableForm, read_table
from gandl_shared.schemas.analysis import Exclusion, ExclusionLevel
from gandl_shared.schemas.vocabulary import EXCLUSION_BY

from gandl_analysis.formats.output_folder import SITES, WELLS
from gandl_analysis.formats.response_columns import exclusion_reason
from gandl_analysis.pipeline.image_qc import EXCLUSION_PREFIX
from gandl_analysis.pipeline.inputs import ScreenInput

_FORM = TableForm(name="table", error=InvalidTable, column_of=lambda name: name)
_MAX_REASON, _MAX_AUTHOR = 1000, 100


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
    note = f"{what} that the column 'excluded' of {WELLS} or {SITES} names are left out"
    parameters = screen.parameters.model_copy(update={"exclusions": exclusions})
    return replace(screen, parameters=parameters, notes=(*screen.notes, note))


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
    table = read_table(path, _FORM)
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
