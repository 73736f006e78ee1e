"""The protocols of retrieval as a table in the terminal."""

from __future__ import annotations

from gandl_shared.schemas.quality import Quality
from rich.console import Console

from gandl.terminal.layout import add_row, new_table, print_table
from gandl.terminal.texts import fixed


def print_retrieval(quality: Quality, console: Console | None = None) -> None:
    """Print one row per protocol and cell line; nothing where none was asked for."""
    rows = [(name, probe) for name, probes in quality.probes.items() for probe in probes.retrieval]
    if not rows:
        return
    console = console or Console()
    console.print()
    table = new_table("cell line", "task", "left out", "queries", "mAP", "recall@1", "chance")
    for name, probe in rows:
        shares = (fixed(value, 3) for value in (probe.map, probe.recall_at_1, probe.chance))
        add_row(table, name, probe.task, probe.restriction, str(probe.queries), *shares)
    print_table(table, console)
