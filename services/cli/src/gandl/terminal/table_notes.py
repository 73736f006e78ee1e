"""Tables of wells on the command line: the option that chooses a sheet, and what was assumed while they were read."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

Sheet = Annotated[
    str | None, typer.Option(help="Sheet of the workbook (.xlsx) that holds the table; the first one if absent.")
]


def print_notes(notes: Iterable[str]) -> None:
    """Print each note as a line on stderr, so that stdout contains only results."""
    for note in notes:
        sys.stderr.write(f"note: {note}\n")
