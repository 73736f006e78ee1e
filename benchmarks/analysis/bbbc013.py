"""BBBC013 in full: EC50s beside those of segmentation, quality, probes, position effects, heatmap and curves.

    python -m benchmarks.analysis.bbbc013 --bbbc013 ../shared/data/bbbc013 --page docs/bbbc013.md --images docs/images

Runs what `gandl screen` runs, with `models/gandl-bbbc013-64.onnx` or another `--model`, and writes the tables between
the marks of the page and the figures beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from gandl.simulate.truth import curve_of
from gandl.terminal.texts import interval_text, location_text
from gandl_analysis.figures.controls import control_distributions
from gandl_analysis.figures.dose_response import dose_response_figure
from gandl_analysis.figures.plate import plate_heatmap
from gandl_analysis.figures.svg import to_png
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.schemas.quality import PositionEffect, ShareInterval

from benchmarks.picture import MODEL, screened
from benchmarks.tables import row, write_between

LINE, PLATE = "U2OS", "BBBC013"
SEGMENTED = {"Wortmannin": (0.0120, 0.00045, 3.3), "LY294002": (5.0, 0.25, 2.9)}
"""EC50 (µM) with its standard error and slope by the nucleus/cytoplasm ratio of GFP, measured on the same images."""


def ec50s(analysis: ScreenAnalysis) -> Iterator[str]:
    """One row a compound."""
    yield row(
        "compound",
        "EC50, µM (95 %)",
        "slope (SE)",
        "by segmentation (SE)",
        "slope",
        "ratio",
        "Emax",
        "verdict",
        "flags",
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for compound, (ec50, error, slope) in SEGMENTED.items():
        curve = curve_of(analysis.curves, compound, LINE)
        ec50_location, steep = curve.ec50, curve.params.get("slope")
        ours = f"{steep.estimate:.1f}" + (f" ({steep.se:.1f})" if steep.se is not None else "") if steep else ""
        ratio = f"{ec50_location.value / ec50:.2f}" if ec50_location.value is not None else ""
        emax = "" if curve.emax.fitted is None else f"{curve.emax.fitted:.2f}"
        shown_ec50 = f"{location_text(ec50_location)} ({interval_text(ec50_location)})"
        reference = f"{ec50:.3g} ({error:.2g})"
        yield row(compound, shown_ec50, ours, reference, slope, ratio, emax, curve.verdict, ", ".join(curve.flags))


def quality(analysis: ScreenAnalysis) -> Iterator[str]:
    """Figures of held-out controls."""
    q = analysis.quality.cell_lines[LINE]
    c = q.confusion
    yield row("figure", "value")
    yield "|---|---|"
    for name, value in (("Z′", q.z_prime), ("robust Z′", q.z_prime_robust), ("SSMD", q.ssmd), ("V-factor", q.v_factor)):
        yield row(name, "" if value is None else f"{value:.2f}")
    yield row("ROC AUC", q.roc_auc)
    yield row("tile accuracy (bootstrap over wells)", within(q.accuracy, q.accuracy_interval))
    yield row("well accuracy (Wilson)", within(q.well_accuracy, q.well_accuracy_interval))
    if c is not None:
        yield row("positive controls right / wrong", f"{c.positive_right} / {c.positive_wrong}")
        yield row("negative controls right / wrong", f"{c.negative_right} / {c.negative_wrong}")
    yield row("held out together", q.grouped_by)
    yield row("verdict", " ".join([str(q.verdict), *q.reasons]))


def within(share: float | None, bounds: ShareInterval | None) -> str:
    """`0.99 (0.98 to 1.00)`."""
    if share is None:
        return ""
    return f"{share:.3f}" + (f" ({bounds.low:.3f} to {bounds.high:.3f})" if bounds else "")


def probes(analysis: ScreenAnalysis) -> Iterator[str]:
    """What should not be told from the vectors, and what should."""
    probes = analysis.quality.probes[LINE]
    yield row("can be told from control vectors", "classes", "units", "accuracy", "by permutation", "p")
    yield "|---|---|---|---|---|---|"
    for probe in probes.leakage:
        yield row(
            probe.what, probe.classes, probe.n, f"{probe.accuracy:.2f}", f"{probe.chance:.2f}", f"{probe.p_value:.3f}"
        )
    if probes.replicates:
        share, doses = probes.replicates.share_reproducible, len(probes.replicates.groups)
        yield ""
        yield f"Replicates: {100 * share:.0f} % of the {doses} doses find their own wells among the negative controls"
        yield "(mean average precision, q below 0.05)."


def positions(effect: PositionEffect) -> Iterator[str]:
    """Mean residuals by row and column, empty where a line has nothing to be compared with."""
    for what, lines, p in (("row", effect.rows, effect.row_p_value), ("column", effect.columns, effect.column_p_value)):
        outcome = "cannot be told" if p is None else f"p {p:.3f}"
        if lines:
            yield row(f"{what} ({outcome})", *lines)
            yield "|---|" + "---|" * len(lines)
            yield row("mean efficacy less that of equal wells", *(f"{v:+.2f}" for v in lines.values()))
        else:
            yield f"{what.capitalize()}s: {outcome}; no content lies in more than one {what}."
        yield ""


def draw(analysis: ScreenAnalysis, images: Path) -> None:
    """Heatmap, controls and curves."""
    figures = {
        "heatmap": plate_heatmap(analysis.wells, PLATE).figure,
        "controls": control_distributions(analysis.wells, LINE).figure,
        **{c.lower(): dose_response_figure(curve_of(analysis.curves, c, LINE)) for c in SEGMENTED},
    }
    for name, figure in figures.items():
        (images / f"bbbc013-{name}.png").write_bytes(to_png(figure, dpi=110))


def main() -> None:
    """Screen, and write tables and figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bbbc013", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    options = parser.parse_args()
    analysis = screened(options.bbbc013, options.model)
    (effect,) = analysis.quality.probes[LINE].positions
    card = analysis.provenance.model
    model = f"`{card.name}`: tap `{card.tap}`, {card.features} features, {card.training.kimg:g} thousand crops."
    sections = {
        "EC50s": ec50s(analysis),
        "Quality, out of fold": quality(analysis),
        "Probes": probes(analysis),
        "Positions": positions(effect),
    }
    lines = [f"Model {model}"]
    for title, body in sections.items():
        lines += ["", f"### {title}", "", *body]
    print("\n".join(lines))
    write_between(options.page, "bbbc013", "\n".join(lines))
    draw(analysis, options.images)


if __name__ == "__main__":
    main()
