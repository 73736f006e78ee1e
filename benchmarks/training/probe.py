"""What training adds on BBBC013's controls: Z′ along training for each tap, over seeds and settings.

    python -m benchmarks.training.probe --bbbc013 ../shared/data/bbbc013 --runs runs/bench --page docs/training.md

trains what is not there yet (`gandl train`, resumable; three runs of 60 kimg take about an hour on two cores, the
settings that were tried as long again; `--seeds-only` leaves these out) and evaluates the snapshots. All figures are
out of fold by row of wells: axis, whitening and SVM of `gandl_analysis`, as in a screen.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from gandl_science.assay.intensity import intensity_statistics
from gandl_science.assay.separation import z_prime
from gandl_science.axis.cross_fit import AxisOptions, score_wells
from gandl_science.axis.folds import Folds
from gandl_science.axis.scores import WellScores
from gandl_training.data.dataset import FieldStore
from gandl_training.evaluation.probe import ControlTiles, control_tiles
from gandl_training.export.onnx_export import Weights
from gandl_training.networks.feature_layer import Featurizer, Tap
from gandl_training.run import checkpoint as ckpt
from numpy.typing import NDArray

from benchmarks.tables import write_between

Float = NDArray[np.float64]
TAPS: tuple[Tap, ...] = ("fc", "pool", "fine", "multi")
WHITENINGS = ("none", "within_class")
SEEDS, LADDER, VARIANT_KIMG = (0, 1, 2), (16, 32, 48, 60), 16
LONG, LONG_LADDER = "long", (48, 64, 80, 96, 112)
COLUMNS = ("run", "seed", "kimg", "tap", "whitening", "z_prime", "low", "high", "tile_accuracy")

VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "r1-1": ("R1 γ 1", ("--r1-gamma", "1")),
    "r1-60": ("R1 γ 60", ("--r1-gamma", "60")),
    "batch-8": ("batch 8", ("--batch", "8")),
    "rate-half": ("learning rate 0.001", ("--learning-rate", "0.001")),
    "rate-double": ("learning rate 0.004", ("--learning-rate", "0.004")),
    "augment": ("adaptive augmentation", ("--augment",)),
    "fine-10": ("full resolution (`--downscale 1`)", ("--downscale", "1")),
    "fine": ("full resolution (`--downscale 1`), R1 γ 1", ("--downscale", "1", "--r1-gamma", "1")),
    "too-little-r1": ("full resolution, R1 γ 0.1", ("--downscale", "1", "--r1-gamma", "0.1")),
    "tiles-32": ("tiles of 32 px, R1 γ 3", ("--resolution", "32", "--r1-gamma", "3")),
}
"""What was tried besides the preset at half resolution: title and options that differ from it."""

HELD_OUT: dict[str, tuple[str, tuple[str, ...]]] = {
    "holdout": ("as `cpu-64`", ("--holdout", "0.25")),
    "holdout-augment": ("adaptive augmentation", ("--holdout", "0.25", "--augment")),
}
"""Runs that keep a quarter of the wells from training, to show overfitting."""


@dataclass(frozen=True)
class Controls:
    """The control tiles of a run, as a screen would cut them, and the labels [W] and folds of their wells."""

    tiles: ControlTiles
    labels: NDArray[np.intp]
    folds: Folds

    @classmethod
    def of(cls, store: FieldStore, size: int) -> Controls:
        """One plate: folds are its rows of wells."""
        tiles = control_tiles(store, size)
        first = np.unique(tiles.well, return_index=True)[1]
        fold = np.unique(tiles.fold[first], return_inverse=True)[1]
        labels = np.where(tiles.positive[first], 1, -1).astype(np.intp)
        return cls(tiles, labels, Folds(fold.astype(np.intp), int(fold.max()) + 1, "row"))

    def scores(self, vectors: NDArray[np.floating], whitening: str) -> WellScores:
        """Held-out scores of these wells by features [N, F]."""
        return score_wells(vectors, self.tiles.well, self.labels, self.folds, AxisOptions(whitening=whitening))


@dataclass(frozen=True)
class Row:
    """One figure: Z′ of held-out control wells with its interval, and accuracy of held-out tiles."""

    run: str
    seed: int
    kimg: float
    tap: str
    whitening: str
    z_prime: float
    low: float
    high: float
    tile_accuracy: float


def main() -> None:
    """Train, evaluate, write the CSV beside the page and the tables into it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bbbc013", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--seeds-only", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    jobs = {f"seed-{seed}": (LADDER[-1], ("--seed", str(seed))) for seed in SEEDS}
    if not given.seeds_only:
        jobs |= {name: (VARIANT_KIMG, options) for name, (_, options) in VARIANTS.items()}
        jobs |= {name: (LADDER[-1], options) for name, (_, options) in HELD_OUT.items()}
        jobs[LONG] = (LONG_LADDER[-1], ("--seed", "0"))
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda job: trained(given.bbbc013, given.runs, job[0], *job[1]), jobs.items()))
    runs = {name: folder for name, folder in zip(jobs, folders, strict=True) if name not in HELD_OUT}
    rows = [row for name, folder in runs.items() for row in evaluated(name, folder)]
    write_csv(given.page.with_name("training-bbbc013.csv"), rows)
    write_between(given.page, "bbbc013", "\n".join(ladder(rows)))
    if not given.seeds_only:
        write_between(given.page, "variants", "\n".join(variants(rows)))
        write_between(given.page, "longer", "\n".join(longer(rows)))
        write_between(given.page, "overfitting", "\n".join(overfitting(given.runs)))


def trained(data: Path, runs: Path, name: str, kimg: float, options: Sequence[str]) -> Path:
    """The folder of a run, trained to `kimg` on one thread; goes on where it was interrupted."""
    out, gandl = runs / name, Path(sys.executable).with_name("gandl")
    ends = ["--out", out, "--kimg", str(kimg), "--threads", "1"]
    source = [data / "images", "--platemap", data / "platemap.csv"]
    again = (out / ckpt.CHECKPOINT).exists()
    if again and ckpt.load(out / ckpt.CHECKPOINT).kimg >= kimg:
        return out
    scale = ["--channel-names", "GFP,DNA", *([] if "--downscale" in options else ["--downscale", "2"])]
    command = [gandl, "train", *source, *ends, *(["--resume"] if again else [*scale, *options])]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return out


def evaluated(name: str, folder: Path) -> Iterator[Row]:
    """Untrained, and along training, for each tap and whitening; and the intensity statistics of the same tiles."""
    last = ckpt.load(folder / ckpt.CHECKPOINT)
    kept = [*map(ckpt.load, sorted((folder / "snapshots").glob("*.pt"))), last]
    config = last.config
    marks = (VARIANT_KIMG,) if name in VARIANTS else LONG_LADDER if name == LONG else LADDER
    controls = Controls.of(FieldStore.open(folder / "data"), config.network.resolution)
    shown = {saved.kimg: saved for saved in kept if saved.kimg in marks}
    states = [Weights(last, untrained=True), *map(Weights, shown.values())]
    for weights in states:
        for tap in TAPS:
            vectors = embedded(weights, tap, controls.tiles.tiles)
            yield from figures(name, config.seed, weights.kimg, tap, controls, vectors)
    statistics = intensity_statistics(controls.tiles.tiles)
    yield from figures(name, config.seed, 0.0, "intensity statistics", controls, statistics)


@torch.no_grad()
def embedded(weights: Weights, tap: Tap, tiles: NDArray[np.uint8], batch: int = 100) -> NDArray[np.float32]:
    """Features [N, F] of tiles [N, C, S, S]."""
    net = Featurizer(weights.discriminator(), tap)
    parts = [net(torch.from_numpy(tiles[i : i + batch])).numpy() for i in range(0, len(tiles), batch)]
    return np.concatenate(parts)


def figures(
    name: str, seed: int, kimg: float, tap: str, controls: Controls, vectors: NDArray[np.floating]
) -> Iterator[Row]:
    """Z′ and accuracy for each whitening."""
    for whitening in WHITENINGS:
        scores = controls.scores(vectors, whitening)
        on = [scores.on[controls.labels == side] for side in (1, -1)]
        accuracy = scores.tile_accuracy(controls.labels != 0)
        assert accuracy is not None
        low, high = interval(*on)
        row = Row(name, seed, kimg, tap, whitening, z_prime(*on) or np.nan, low, high, accuracy)
        print(row, flush=True)
        yield row


def interval(positive: Float, negative: Float, draws: int = 2000) -> tuple[float, float]:
    """95 % percentile bootstrap of Z′ over wells of each control, given their held-out scores."""
    rng = np.random.default_rng(0)
    values = [z_prime(*(rng.choice(wells, len(wells)) for wells in (positive, negative))) for _ in range(draws)]
    low, high = np.percentile([v for v in values if v is not None], [2.5, 97.5])
    return float(low), float(high)


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Every figure, one a line."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            values = [getattr(row, column) for column in COLUMNS]
            writer.writerow([f"{v:.4g}" if isinstance(v, float) else v for v in values])


def ladder(rows: Sequence[Row]) -> Iterator[str]:
    """Along training: median over seeds, their range, and the interval over wells of the median seed."""
    seeds = [r for r in rows if r.run.startswith("seed-")]
    yield "| kimg | " + " | ".join(f"`{tap}`, {_said(w)}" for tap in TAPS for w in WHITENINGS) + " |"
    yield "|---" * (1 + len(TAPS) * len(WHITENINGS)) + "|"
    for kimg in sorted({r.kimg for r in seeds}):
        cells = [
            _median([r for r in seeds if (r.kimg, r.tap, r.whitening) == (kimg, tap, whitening)])
            for tap in TAPS
            for whitening in WHITENINGS
        ]
        yield f"| {'untrained' if kimg == 0 else f'{kimg:g}'} | " + " | ".join(cells) + " |"
    statistics = [r for r in seeds if r.tap == "intensity statistics"]
    said = ", ".join(f"{_said(w)} {_median([r for r in statistics if r.whitening == w])}" for w in WHITENINGS)
    yield ""
    yield f"Intensity statistics of the same tiles: {said}."


def variants(rows: Sequence[Row]) -> Iterator[str]:
    """What was tried, after the same number of images."""
    here = [r for r in rows if r.kimg == VARIANT_KIMG and r.whitening == "within_class"]
    titles = " | ".join(f"`{tap}`" for tap in TAPS)
    yield f"| setting ({VARIANT_KIMG} kimg, seed 0, whitened) | {titles} | `{TAPS[-1]}` gains |"
    yield "|---" * (2 + len(TAPS)) + "|"
    by_run = {name: {r.tap: r for r in here if r.run == name} for name in ("seed-0", *VARIANTS)}
    plain = by_run["seed-0"][TAPS[-1]].z_prime
    for name, found in by_run.items():
        title = VARIANTS[name][0] if name in VARIANTS else "as `cpu-64`"
        cells = [f"{found[t].z_prime:.2f} ({found[t].tile_accuracy:.3f})" for t in TAPS]
        yield f"| {title} | {' | '.join(cells)} | {found[TAPS[-1]].z_prime - plain:+.2f} |"


def longer(rows: Sequence[Row]) -> Iterator[str]:
    """One run that goes on, and what it has gained over the network before its first step."""
    here = [r for r in rows if r.run == LONG and r.whitening == "within_class" and r.tap in TAPS]
    yield "| kimg | " + " | ".join(f"`{tap}` | gains" for tap in TAPS) + " |"
    yield "|---" * (1 + 2 * len(TAPS)) + "|"
    start = {r.tap: r.z_prime for r in here if r.kimg == 0}
    for kimg in sorted({r.kimg for r in here}):
        found = {r.tap: r for r in here if r.kimg == kimg}
        cells = [
            f"{r.z_prime:.2f} ({r.low:.2f} – {r.high:.2f}) | {r.z_prime - start[t]:+.2f}"
            for t, r in ((t, found[t]) for t in TAPS)
        ]
        yield f"| {'untrained' if kimg == 0 else f'{kimg:g}'} | {' | '.join(cells)} |"


def overfitting(runs: Path) -> Iterator[str]:
    """Mean score of the discriminator on tiles of training wells and of wells held out, along training."""
    yield "| setting | kimg | training wells | held-out wells | generated | augmentation p |"
    yield "|---|---|---|---|---|---|"
    for name, (title, _) in HELD_OUT.items():
        entries = [json.loads(line) for line in (runs / name / "log.jsonl").read_text().splitlines()]
        for looked in (entry for entry in entries if "quality/score_held_out" in entry):
            last = max((e for e in entries if "fake" in e and e["kimg"] <= looked["kimg"]), key=lambda e: e["kimg"])
            scores = (looked["quality/score_training"], looked["quality/score_held_out"], last["fake"])
            cells = " | ".join(f"{score:+.2f}" for score in scores)
            yield f"| {title} | {looked['kimg']:g} | {cells} | {last.get('augment_p', 0):.2f} |"


def _median(rows: Sequence[Row]) -> str:
    ordered = sorted(rows, key=lambda r: r.z_prime)
    middle = ordered[len(ordered) // 2]
    spread = f"[{ordered[0].z_prime:.2f}, {ordered[-1].z_prime:.2f}]"
    return f"{middle.z_prime:.2f} {spread} ({middle.low:.2f} – {middle.high:.2f})"


def _said(whitening: str) -> str:
    return {"none": "raw", "within_class": "whitened"}[whitening]


if __name__ == "__main__":
    main()
