"""Tables that fit a terminal of 80 columns: nothing is cut, and a row takes one line where its content allows."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


def new_table(*headings: str) -> Table:
    """Return an empty table. A text that is longer than its column continues on the next line."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def add_row(table: Table, *cells: str | Text) -> None:
    """Add a row. A text is shown as it is: names of compounds may contain brackets, which Rich would read as markup."""
    table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))


def print_table(table: Table, console: Console) -> None:
    """Print a table, with less space between its columns where it would not fit otherwise."""
    # Measured without the limit of the terminal, because the limited measure is never too wide.
    unlimited = console.options.update(max_width=10_000)
    if Measurement.get(console, unlimited, table).maximum > console.width:
        table.padding = (0, 0)
    console.print(table)
