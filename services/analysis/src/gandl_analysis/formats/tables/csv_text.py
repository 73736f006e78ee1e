"""The text of a CSV table: one row per record, and numbers from which the same numbers are read back.

A name that a spreadsheet program would run as a formula is written as a text (`gandl_shared.files.formulas`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gandl_shared.files.formulas import neutral_text


def csv_text(
    columns: Sequence[str], records: Iterable[Mapping[str, object]], header: Sequence[str] | None = None
) -> str:
    """Return CSV with the columns, under other names if a `header` is there. None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(name) for name in header or columns])
    for record in records:
        writer.writerow([_cell(record.get(name)) for name in columns])
    return text.getvalue()


def delete_table(path: Path, columns: Sequence[str]) -> None:
    """Delete a table of gandl with these first columns, if it is there; another file of its name is the user's."""
    if not path.is_file():
        return
    header = ",".join(columns).encode()
    with path.open("rb") as file:
        is_table = file.readline(len(header) + 2).rstrip() == header
    if is_table:
        path.unlink()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return neutral_text(value)
    # repr is the shortest form of a float from which the same number is read back.
    return repr(value) if isinstance(value, float) else value
