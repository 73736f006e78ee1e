"""Featurizers on labelled cells and on screens: the table of docs/featurizers.md.

    python -m benchmarks.featurizers --data ../shared/data --work runs/featurizers --page docs/featurizers.md \
        --model runs/mitocheck/48.onnx --model models/gandl-bbbc013-64.onnx

Rows are featurizers and columns are tasks. The default rows take about ten minutes on two cores. Every result is kept
in `--work`, so that an interrupted run goes on and a further `--model` costs its own row only; after a change of the
code, remove that folder. `--minutes` ends the run in time, with a table that says what is missing. Give `--model` again
for each ONNX file, or for a name such as `cp-measure` or `untrained:0:fc:gpu-128`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from gandl.featurizers.names import UNTRAINED_PRESET, baseline_name
from gandl.probing.folders import CellFolder, ImageFolder, PlateFolder
from gandl.probing.probe import probe_model
from gandl.screening.featurizers import TileOptions, screen_featurizer
from gandl.screening.run import ScreenJob, run
from gandl.simulate import preset, simulate_screen
from gandl.simulate.truth import compare, read_truth
from gandl.terminal.probe_table import estimate_text
from gandl.terminal.texts import interval_text, location_text
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_embedding.engine import Engine
from gandl_science.assay.label_probe import Estimate
from gandl_science.assay.separation import separation
from gandl_shared.files.atomic import atomic_file
from gandl_shared.plates import Role, plate_map_of_names, single_cells

from benchmarks.tables import row, write_between

MODELS = Path(__file__).parents[1] / "models"
BASELINES = (
    "intensity",
    "pca",
    "untrained:0:fc",
    "untrained:0:pool",
    "untrained:0:multi",
    "untrained:0:fine",
)
RELEASED = tuple(
    MODELS / f"gandl-{name}-64.onnx" for name in ("bbbc013", "sim5", "nuclei", "nuclei-centre", "bbbc013-contrast")
)
DRAWS = 2000
MISSING, OTHER_CHANNELS = "…", "–"


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells of a row for one task, with the number of features and the seconds that they took."""

    texts: tuple[str, ...]
    features: int
    seconds: float


class Task(Protocol):
    """A task: the headings of its columns, and the cells of a featurizer."""

    name: str
    headings: tuple[str, ...]
    channels: int

    def texts(self, model: str) -> tuple[tuple[str, ...], int]:
        """Return the cells of a featurizer and the number of its features."""
        ...


@dataclass(frozen=True)
class LabelTask:
    """Labels of images, by the protocol of `gandl probe`."""

    name: str
    title: str
    folder: ImageFolder
    labels: str
    groups: str
    channels: int
    like: Path | None = None

    @property
    def headings(self) -> tuple[str, ...]:
        """Weighted and macro F1."""
        return f"{self.title}, weighted F1", "macro F1"

    def texts(self, model: str) -> tuple[tuple[str, ...], int]:
        """Return both F1 with their intervals."""
        embedder = self.folder.featurizer(model, TileOptions(like=self.like), threads=None)
        result = probe_model(self.folder, embedder, self.labels, self.groups)
        estimates = (result.probe.weighted_f1, result.probe.macro_f1)
        return tuple(map(estimate_text, estimates)), embedder.card.features


@dataclass(frozen=True)
class ScreenTask:
    """A screen: the separation of its controls for each cell line, and its curves."""

    name: str
    title: str
    job: ScreenJob
    cell_lines: tuple[str, ...]
    compounds: tuple[str, ...]
    truth: Path | None
    channels: int
    like: Path

    @property
    def headings(self) -> tuple[str, ...]:
        """Z′ and robust Z′ of each cell line, EC50s, and curves that are right where the truth is known."""
        lines = [f" {line}" if len(self.cell_lines) > 1 else "" for line in self.cell_lines]
        quality = [heading for line in lines for heading in (f"Z′{line}", f"robust Z′{line}")]
        further = [*(f"EC50 {compound}, µM" for compound in self.compounds), *(["curves right"] if self.truth else [])]
        return (f"{self.title}, {quality[0]}", *quality[1:], *further)

    def texts(self, model: str) -> tuple[tuple[str, ...], int]:
        """Screen with the featurizer, and return the cells."""
        tiles = TileOptions(like=self.like) if baseline_name(model) is not None else TileOptions()
        embedder = screen_featurizer(model, self.job, tiles)
        analysis = run(self.job, embedder)
        quality = [text for line in self.cell_lines for text in separation_texts(analysis, line)]
        curves = {curve.compound: curve for curve in analysis.curves}
        ec50s = [f"{location_text(curves[c].ec50)} ({interval_text(curves[c].ec50)})" for c in self.compounds]
        right = []
        if self.truth is not None:
            recoveries = compare(read_truth(self.truth), analysis.curves)
            right = [f"{sum(r.is_right for r in recoveries)} of {len(recoveries)}"]
        return (*quality, *ec50s, *right), embedder.card.features


def separation_texts(analysis: ScreenAnalysis, cell_line: str) -> tuple[str, str]:
    """Return Z′ and robust Z′ of held-out controls, with 95 % bootstrap intervals over the wells of each control."""
    wells = [well for well in analysis.wells if well.cell_line == cell_line and well.efficacy is not None]
    positive, negative = (
        np.array([well.efficacy for well in wells if well.role == role]) for role in (Role.POSITIVE, Role.NEGATIVE)
    )
    rng = np.random.default_rng(0)
    draws = [separation(rng.choice(positive, len(positive)), rng.choice(negative, len(negative))) for _ in range(DRAWS)]
    measured = separation(positive, negative)
    return (
        _text(measured.z_prime, [draw.z_prime for draw in draws]),
        _text(measured.z_prime_robust, [draw.z_prime_robust for draw in draws]),
    )


def _text(value: float | None, draws: Sequence[float | None]) -> str:
    values = [draw for draw in draws if draw is not None]
    if value is None or not values:
        return "none"
    low, high = np.percentile(values, [2.5, 97.5])
    return estimate_text(Estimate(value=value, low=float(low), high=float(high)))


def tasks(data: Path, work: Path) -> Iterator[Task]:
    """Yield the tasks whose data are there, those that cost least first; the simulated screen is drawn once."""
    cells = data / "mitocheck_cells" / "images"
    if cells.is_dir():
        pattern = "{phenotype}/PL{plate}--{any}.png"
        folder = CellFolder(sites=single_cells(cells), names=pattern, channel_names=("DNA",))
        yield LabelTask("mitocheck", "MitoCheck", folder, "phenotype", "plate", 1)
    bbbc013 = data / "bbbc013"
    if bbbc013.is_dir():
        job = ScreenJob(images=bbbc013 / "images", plate_map=bbbc013 / "platemap.csv", out=work / "screens" / "bbbc013")
        yield ScreenTask("bbbc013", "BBBC013", job, ("U2OS",), ("Wortmannin", "LY294002"), None, 2, RELEASED[0])
    rxrx1 = data / "rxrx1_sample" / "images"
    if rxrx1.is_dir():
        job = ScreenJob(images=rxrx1, plate_map=rxrx1, out=rxrx1)
        fields = PlateFolder(job=job, plate_map=plate_map_of_names(rxrx1))
        yield LabelTask("rxrx1", "RxRx1 cell types (n = 18)", fields, "cell_line", "plate", 5, RELEASED[1])
    screen = work / "screen-24"
    if not screen.is_dir():
        simulate_screen(screen, preset("screen-24"), processes=2)
    job = ScreenJob(images=screen / "Images", plate_map=screen / "platemap.csv", out=work / "screens" / "screen-24")
    lines, truth = ("HRCE-like", "VERO-like"), screen / "truth.csv"
    yield ScreenTask("screen-24", "simulated", job, lines, (), truth, 5, RELEASED[1])


def cells_of(task: Task, model: str, work: Path, end: float) -> Cells | None:
    """Return the cells of a featurizer from an earlier run, or work them out; None for new ones after `end`."""
    identity = model if baseline_name(model) is not None else hashlib.sha256(Path(model).read_bytes()).hexdigest()[:16]
    file = work / "results" / f"{task.name}-{identity.replace(':', '-')}.json"
    if file.is_file():
        values = json.loads(file.read_text())
        return Cells(texts=tuple(values["texts"]), features=values["features"], seconds=values["seconds"])
    if time.monotonic() >= end:
        return None
    start = time.perf_counter()
    texts, features = task.texts(model)
    cells = Cells(texts=texts, features=features, seconds=time.perf_counter() - start)
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(file) as target:
        target.write(json.dumps(asdict(cells)).encode())
    return cells


def fits(task: Task, model: str) -> bool:
    """Whether a featurizer takes the channels of a task; a baseline takes any, a model file those of its card.

    Wide untrained networks are for the first task only, because a screen with one takes many times as long.
    """
    name = baseline_name(model)
    if name is None:
        return len(Engine.load(Path(model)).card.channels) == task.channels
    return task.name == "mitocheck" or name.preset == UNTRAINED_PRESET


def title(model: str) -> str:
    """Return the name of a row: that of a baseline, or the model with its feature layer and its training."""
    if baseline_name(model) is not None:
        return f"`{model}`"
    card = Engine.load(Path(model)).card
    training = f", {card.training.kimg:.0f} kimg" if card.training.kimg else ""
    return f"`{card.name}`: `{card.tap}`{training}"


def table(models: Sequence[str], columns: Sequence[Task], work: Path, minutes: float) -> Iterator[str]:
    """Yield the lines of the table. What is not there when the time is over has the sign …"""
    end = time.monotonic() + 60 * minutes
    texts: dict[tuple[str, str], tuple[str, ...]] = {}
    # Task by task, so that a run that ends early has whole columns.
    for task in columns:
        for model in models:
            texts[model, task.name] = (OTHER_CHANNELS,) * len(task.headings)
            if not fits(task, model):
                continue
            texts[model, task.name] = (MISSING,) * len(task.headings)
            cells = cells_of(task, model, work, end)
            if cells is not None:
                texts[model, task.name] = cells.texts
                sys.stderr.write(f"{task.name} {model}: {', '.join(cells.texts)} ({cells.seconds:.0f} s)\n")
    headings = [heading for task in columns for heading in task.headings]
    yield row("featurizer", *headings)
    yield "|---" * (len(headings) + 1) + "|"
    for model in models:
        numbers = [text for task in columns for text in texts[model, task.name]]
        yield row(title(model), *numbers)


def main() -> None:
    """Fill the table and write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/featurizers"))
    parser.add_argument("--page", type=Path)
    parser.add_argument("--model", action="append", default=[], help="ONNX file or the name of a baseline")
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    models = [*BASELINES, *map(str, RELEASED), *options.model]
    columns = list(tasks(options.data, options.work))
    text = "\n".join(table(models, columns, options.work, options.minutes))
    if options.page:
        write_between(options.page, "featurizers", text)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
