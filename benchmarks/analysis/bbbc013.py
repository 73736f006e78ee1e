"""BBBC013 in full: EC50s beside those of segmentation, quality, probes, position effects, heatmap and curves.

    python -m benchmarks.analysis.bbbc013 --bbbc013 ../shared/data/bbbc013 --page docs/bbbc013.md --images docs/images

The benchmark runs the code of `gandl screen` with `models/gandl-bbbc013-64.onnx` or another `--model`. It writes the
tables between the marks of the page, and the figures into the folder of images.
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
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.quality import PositionEffect, ShareInterval

from benchmarks.picture import MODEL, screened
from benchmarks.tables import row, write_between

CELL_LINE, PLATE = "U2OS", "BBBC013"
SEGMENTED = {"Wortmannin": (0.0120, 0.00045, 3.3), "LY294002": (5.0, 0.25, 2.9)}
"""EC50 (µM) with its standard error and slope by the nucleus/cytoplasm ratio of GFP, measured on the same images."""


def ec50s(analysis: ScreenAnalysis) -> Iterator[str]:
    """Yield one table row per compound."""
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
        curve = curve_of(analysis.curves, compound, CELL_LINE)
        value = curve.ec50.value
        estimate = f"{location_text(curve.ec50)} ({interval_text(curve.ec50)})"
        ratio = f"{value / ec50:.2f}" if value is not None else ""
        emax = "" if curve.emax.fitted is None else f"{curve.emax.fitted:.2f}"
        reference = f"{ec50:.3g} ({error:.2g})"
        flags = ", ".join(curve.flags)
        yield row(compound, estimate, slope_text(curve), reference, slope, ratio, emax, curve.verdict, flags)


def slope_text(curve: Curve) -> str:
    """Return the slope with its standard error, such as `3.1 (0.3)`; empty for a curve without a slope."""
    slope = curve.params.get("slope")
    if slope is None:
        return ""
    return f"{slope.estimate:.1f}" + (f" ({slope.se:.1f})" if slope.se is not None else "")


def quality(analysis: ScreenAnalysis) -> Iterator[str]:
    """Yield the metrics of held-out controls."""
    q = analysis.quality.cell_lines[CELL_LINE]
    c = q.confusion
    yield row("metric", "value")
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
    """Return a share with its interval, such as `0.99 (0.98 to 1.00)`."""
    if share is None:
        return ""
    return f"{share:.3f}" + (f" ({bounds.low:.3f} to {bounds.high:.3f})" if bounds else "")


def probes(analysis: ScreenAnalysis) -> Iterator[str]:
    """Yield whether control vectors reveal their position, and whether replicates find each other."""
    probes_of_line = analysis.quality.probes[CELL_LINE]
    yield row("revealed by control vectors?", "classes", "units", "accuracy", "by permutation", "p")
    yield "|---|---|---|---|---|---|"
    for probe in probes_of_line.leakage:
        yield row(
            probe.what, probe.classes, probe.n, f"{probe.accuracy:.2f}", f"{probe.chance:.2f}", f"{probe.p_value:.3f}"
        )
    replicates = probes_of_line.replicates
    if replicates:
        share, doses = replicates.share_reproducible, len(replicates.groups)
        yield ""
        yield f"Replicates: {100 * share:.0f} % of the {doses} doses find their own wells among the negative controls"
        yield "(mean average precision, q below 0.05)."


def positions(effect: PositionEffect) -> Iterator[str]:
    """Yield the mean residuals by row and column; a row without comparable wells is left out."""
    for what, means, p in (("row", effect.rows, effect.row_p_value), ("column", effect.columns, effect.column_p_value)):
        result = "no test is possible" if p is None else f"p {p:.3f}"
        if means:
            yield row(f"{what} ({result})", *means)
            yield "|---|" + "---|" * len(means)
            yield row("mean efficacy less that of replicates", *(f"{mean:+.2f}" for mean in means.values()))
        else:
            yield f"{what.capitalize()}s: {result}, because no treatment is in more than one {what}."
        yield ""


def draw(analysis: ScreenAnalysis, images: Path) -> None:
    """Draw the heatmap, the controls and the curves."""
    figures = {
        "heatmap": plate_heatmap(analysis.wells, PLATE).figure,
        "controls": control_distributions(analysis.wells, CELL_LINE).figure,
        **{c.lower(): dose_response_figure(curve_of(analysis.curves, c, CELL_LINE)) for c in SEGMENTED},
    }
    for name, figure in figures.items():
        (images / f"bbbc013-{name}.png").write_bytes(to_png(figure, dpi=110))


def main() -> None:
    """Screen the plate, and write the tables and figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bbbc013", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    options = parser.parse_args()
    analysis = screened(options.bbbc013, options.model)
    (effect,) = analysis.quality.probes[CELL_LINE].positions
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
