"""Label probes as a table in the terminal, and as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from gandl_science.assay.label_probe import Estimate
from gandl_shared.files.formulas import neutral_text
from rich.console import Console

from gandl.probing.probe import ProbedModel
from gandl.terminal.layout import add_row, new_table, print_table

CSV_COLUMNS = ("model", "tap", "measure", "label", "images", "groups", "value", "low", "high")


def estimate_text(estimate: Estimate) -> str:
    """Return `0.54 (0.49 to 0.59)`."""
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def print_probes(models: Sequence[ProbedModel], console: Console | None = None) -> None:
    """Print one row per model, what was probed, and the notes."""
    console = console or Console()
    first = models[0]
    table = new_table("model", "features", "weighted F1", "macro F1")
    for model in models:
        probe = model.probe
        texts = (estimate_text(probe.weighted_f1), estimate_text(probe.macro_f1))
        add_row(table, model.card.name, str(model.card.features), *texts)
    print_table(table, console)
    console.print(
        f"{first.images} images, {len(first.labels)} labels, {first.probe.folds} folds over {first.groups} groups; "
        "95 % intervals resample groups.",
        highlight=False,
    )
    for note in dict.fromkeys(note for model in models for note in model.notes):
        console.print(f"Note: {note}.", highlight=False, markup=False)


def probes_csv(models: Sequence[ProbedModel]) -> str:
    """Return a CSV table with a line per model and measure: both F1 with intervals, and the F1 of each label."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for model in models:
        writer.writerows([model.card.name, model.card.tap, *line] for line in _lines(model))
    return file.getvalue()


def _lines(model: ProbedModel) -> Iterator[tuple[str | int, ...]]:
    probe = model.probe
    for measure, value in (("weighted_f1", probe.weighted_f1), ("macro_f1", probe.macro_f1)):
        numbers = (f"{number:.4f}" for number in (value.value, value.low, value.high))
        yield measure, "", model.images, model.groups, *numbers
    counts = probe.confusion.sum(axis=1).tolist()
    for label, f1, count, groups in zip(model.labels, probe.f1.tolist(), counts, model.groups_of_label, strict=True):
        yield "f1", neutral_text(label), count, groups, f"{f1:.4f}", "", ""
