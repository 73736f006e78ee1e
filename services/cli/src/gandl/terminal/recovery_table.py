"""The truth of a simulated screen beside the fitted curves, as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from gandl.simulate.truth import FACTOR, Recovery
from gandl.terminal.layout import add_row, new_table, print_table
from gandl.terminal.texts import interval_text, location_text


def print_recovery(recoveries: Sequence[Recovery], console: Console) -> None:
    """Print the truth of a simulated screen beside its curves."""
    table = new_table("compound", "cell line", "true EC50", "fitted", "95 % interval", "verdict", "")
    for recovery in recoveries:
        truth, curve = recovery.truth, recovery.curve
        true = "" if truth.ec50_um is None else f"{truth.ec50_um:.3g}"
        # One column for both verdicts, because two would not fit into 80 columns.
        verdict = curve.verdict if curve.verdict == truth.expected else f"{curve.verdict}, not {truth.expected}"
        ec50 = location_text(curve.ec50), interval_text(curve.ec50)
        mark = Text("✓", "green") if recovery.is_right else Text("✗", "red")
        add_row(table, truth.compound, truth.cell_line, true, *ec50, verdict, mark)
    print_table(table, console)
    console.print()
    right = sum(recovery.is_right for recovery in recoveries)
    console.print(f"{right} of {len(recoveries)} right: EC50 (µM) within a factor of {FACTOR:g}, or rightly no hit")
