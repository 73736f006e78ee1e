"""The protocols of retrieval as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from gandl_analysis.pipeline.quality.retrieval import RetrievalRow
from rich.console import Console

from gandl.terminal.layout import add_row, new_table, print_table
from gandl.terminal.texts import fixed


def print_retrieval(rows: Sequence[RetrievalRow], console: Console | None = None) -> None:
    """Print one row per protocol and cell line; nothing without rows."""
    if not rows:
        return
    console = console or Console()
    console.print()
    table = new_table("cell line", "task", "left out", "queries", "mAP", "recall@1", "chance")
    for row in rows:
        r = row.result
        numbers = (r.mean_average_precision, r.recall_at_1, r.chance) if r else (None, None, None)
        shares = (fixed(value, 3) for value in numbers)
        add_row(table, row.cell_line, row.task, row.restriction, str(r.queries if r else 0), *shares)
    print_table(table, console)
