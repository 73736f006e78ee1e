"""What commands print about potencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gandl_analysis.pipeline.curves.potency import PotencyRatio, screen_ratios
from rich.console import Console

from gandl.terminal.layout import add_row, new_table, print_table

if TYPE_CHECKING:
    # `gandl fit` reads no screen, and each schema takes time to build.
    from gandl_analysis.pipeline.result import ScreenAnalysis


def print_screen_ratios(analysis: ScreenAnalysis) -> None:
    """Print the potencies of a screen relative to a reference, where its analysis named one."""
    ratios = screen_ratios(analysis.provenance.parameters.curves, analysis.curves)
    if ratios is not None:
        print_potency_ratios(ratios)


def print_potency_ratios(ratios: Sequence[PotencyRatio]) -> None:
    """Print one row per compound: its potency relative to the reference, or why there is none."""
    table = new_table("compound", "cell line", "potency relative to the reference", "parallel, p", "remark")
    for ratio in ratios:
        p_value = "" if ratio.parallel_p is None else f"{ratio.parallel_p:.2g}"
        add_row(table, ratio.compound, ratio.cell_line, ratio_text(ratio), p_value, ratio.reason)
    print_table(table, Console())


def ratio_text(ratio: PotencyRatio) -> str:
    """Return `0.31 (0.21 to 0.44) × Name`; an open side of the interval is `?`, no ratio is empty."""
    if ratio.ratio is None:
        return ""
    ends = ["?" if end is None else f"{end:.3g}" for end in (ratio.low, ratio.high)]
    return f"{ratio.ratio:.3g} ({ends[0]} to {ends[1]}) × {ratio.reference}"
