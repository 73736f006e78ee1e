"""What a screen found, as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.schemas.curve import Curve, CurveLocation
from rich.console import Console
from rich.table import Table

MOST_ROWS = 40


def print_quality(analysis: ScreenAnalysis, console: Console | None = None) -> None:
    """One line a cell line: how well the controls are told apart, out of fold."""
    table = Table("cell line", "Z′", "robust Z′", "SSMD", "tile accuracy", "controls +/-", "held out by")
    for name, q in analysis.quality.cell_lines.items():
        controls = f"{q.n_positive}/{q.n_negative}"
        numbers = [fixed(v, d) for v, d in ((q.z_prime, 2), (q.z_prime_robust, 2), (q.ssmd, 1), (q.accuracy, 3))]
        table.add_row(name, *numbers, controls, q.grouped_by or "")
    (console or Console()).print(table)
    if analysis.quality.note:
        (console or Console()).print(analysis.quality.note, markup=False)
    failed = [site for plate in analysis.quality.images.values() for site in plate.failed]
    if failed:
        left_out = sum(site.excluded for site in failed)
        (console or Console()).print(f"{len(failed)} sites failed image QC, {left_out} of them were left out")
    if analysis.parked:
        (console or Console()).print(f"{len(analysis.parked)} sites could not be used; the report names them")


def print_curves(analysis: ScreenAnalysis, console: Console | None = None) -> None:
    """One line a compound and cell line, the first ones of a large screen."""
    table = Table("compound", "cell line", "verdict", "EC50 µM", "95 % interval", "Emax", "q")
    for c in analysis.curves[:MOST_ROWS]:
        emax, q = fixed(c.emax.fitted, 2), "" if c.q_value is None else f"{c.q_value:.1e}"
        table.add_row(c.compound, c.cell_line, c.verdict, location(c.ec50), interval(c.ec50), emax, q)
    (console or Console()).print(table)
    if len(analysis.curves) > MOST_ROWS:
        (console or Console()).print(f"and {len(analysis.curves) - MOST_ROWS} more in dose_response.csv")


def location(found: CurveLocation) -> str:
    """`0.012`, `> 30`, or nothing where there is no EC50."""
    if found.value is None:
        return ""
    return f"{'' if found.relation == '=' else f'{found.relation} '}{found.value:.3g}"


def interval(found: CurveLocation) -> str:
    """`0.01 to 0.02`; an open side is `…`."""
    if found.value is None or (found.low is None and found.high is None):
        return ""
    return f"{'…' if found.low is None else f'{found.low:.3g}'} to {'…' if found.high is None else f'{found.high:.3g}'}"


def of_compound(curves: Sequence[Curve], compound: str, cell_line: str) -> Curve:
    """The curve of a compound in a cell line. Raises KeyError."""
    for curve in curves:
        if (curve.compound, curve.cell_line) == (compound, cell_line):
            return curve
    raise KeyError(f"{compound} in {cell_line}")


def fixed(value: float | None, digits: int) -> str:
    """With so many digits; nothing for None."""
    return "" if value is None else f"{value:.{digits}f}"
