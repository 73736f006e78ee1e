"""The quality and the curves of a screen as tables in the terminal."""

from __future__ import annotations

from gandl_analysis.pipeline.result import ScreenAnalysis
from rich.console import Console

from gandl.terminal.layout import add_row, new_table, print_table
from gandl.terminal.texts import fixed, interval_text, location_text

MAX_ROWS = 40
MAX_COPIES = 10
"""At most so many groups of equal images are printed; quality.json holds all of them."""


def print_screen(analysis: ScreenAnalysis, console: Console | None = None) -> None:
    """Print the quality and the curves of a screen."""
    console = console or Console()
    if analysis.parked:
        wells = len({(site.plate, site.well) for site in analysis.parked})
        first = analysis.parked[0]
        console.print(
            f"done, but {len(analysis.parked)} sites of {wells} wells are parked and have no vectors; the first: plate "
            f"{first.plate}, well {first.well}, site {first.site}: {first.error}; the report names all of them",
            markup=False,
            highlight=False,
        )
    layout = analysis.provenance.image_layout
    if layout is not None:
        console.print(f"{layout.layout}; channels {layout.channel_text}", markup=False, highlight=False)
        for reason, count in layout.skipped.items():
            console.print(f"left out: {count} {reason}", markup=False, highlight=False)
        console.print()
    print_quality(analysis, console)
    console.print()
    print_curves(analysis, console)


def print_quality(analysis: ScreenAnalysis, console: Console) -> None:
    """Print one row per cell line that says how well its controls are separated, out of fold."""
    table = new_table("cell line", "Z′", "robust Z′", "SSMD", "tile accuracy", "controls +/-", "held out by")
    for name, quality in analysis.quality.cell_lines.items():
        numbers = ((quality.z_prime, 2), (quality.z_prime_robust, 2), (quality.ssmd, 1), (quality.accuracy, 3))
        controls = f"{quality.n_positive}/{quality.n_negative}"
        add_row(table, name, *(fixed(value, digits) for value, digits in numbers), controls, quality.grouped_by or "")
    print_table(table, console)
    if analysis.quality.note:
        console.print(analysis.quality.note, markup=False)
    if analysis.provenance.limits_from != "plate":
        for plate, measured in analysis.provenance.intensities.items():
            shares = ", ".join(f"{c.channel} {100 * c.clipped:.1f} %" for c in measured.channels)
            console.print(f"{plate}: pixels outside the intensity limits: {shares}", markup=False)
    for name, quality in analysis.quality.cell_lines.items():
        probes = analysis.quality.probes.get(name)
        if quality.verdict in ("poor", "undetermined") or (probes is not None and probes.mislabelled):
            console.print(f"{name}: {quality.verdict}: {'; '.join(quality.reasons)}", markup=False, highlight=False)
    undirected = [name for name, quality in analysis.quality.cell_lines.items() if quality.at_chance]
    if undirected:
        separation = "held-out controls are separated no better than by chance, so that no compound gets a verdict"
        console.print(f"{', '.join(undirected)}: {separation}", markup=False)
    failed = [site for plate in analysis.quality.images.values() for site in plate.failed]
    if failed:
        excluded = sum(site.excluded for site in failed)
        console.print(f"{len(failed)} sites failed image QC, {excluded} of them were left out")
    for group in analysis.quality.identical[:MAX_COPIES]:
        sites = " = ".join(f"{site.plate} {site.well} site {site.site}" for site in group.sites)
        console.print(f"Equal images: {sites}", markup=False)
    for name, images in analysis.quality.images.items():
        if not images.usable:
            console.print(f"Plate {name} is not usable: {'; '.join(images.reasons)}", markup=False)


def print_curves(analysis: ScreenAnalysis, console: Console) -> None:
    """Print one row per compound and cell line, up to MAX_ROWS."""
    table = new_table("compound", "cell line", "verdict", "EC50 µM", "95 % interval", "Emax", "q")
    # A large screen would push its quality, which comes first, out of the terminal.
    for curve in analysis.curves[:MAX_ROWS]:
        q = "" if curve.q_value is None else f"{curve.q_value:.1e}"
        ec50 = location_text(curve.ec50), interval_text(curve.ec50)
        add_row(table, curve.compound, curve.cell_line, curve.verdict, *ec50, fixed(curve.emax.fitted, 2), q)
    print_table(table, console)
    if len(analysis.curves) > MAX_ROWS:
        console.print(f"and {len(analysis.curves) - MAX_ROWS} more in dose_response.csv")
