"""Measure what training adds on the controls of BBBC013: Z′ along training per feature layer, over seeds and settings.

    python -m benchmarks.training.probe --bbbc013 ../shared/data/bbbc013 --runs runs/bench --page docs/training.md

It trains the runs that do not exist yet and evaluates their snapshots. Three runs of 60 kimg take about an hour on two
cores, and the settings that were tried take as long again; `--seeds-only` leaves these out. Interrupted runs resume.
All metrics are out of fold by row of wells, with the whitening, folds and SVM of `gandl_science`, as in a screen.
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
from gandl_science.assay.accuracy import share_right
from gandl_science.assay.baselines.intensity import intensity_statistics
from gandl_science.assay.separation import z_prime
from gandl_science.axis.cross_fit import AxisOptions
from gandl_training.data.field_store import FieldStore
from gandl_training.evaluation.control_tiles import ControlTiles, control_tiles
from gandl_training.evaluation.probe import score_controls
from gandl_training.export.weights import Weights
from gandl_training.networks.feature_layer import FeatureLayer, Featurizer
from gandl_training.run import checkpoint as ckpt
from numpy.typing import NDArray

from benchmarks.tables import write_between

Float = NDArray[np.float64]
LAYERS = (FeatureLayer.FC, FeatureLayer.POOL, FeatureLayer.FINE, FeatureLayer.MULTI)
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
"""The settings that were tried besides the preset at half resolution: a title, and the options that differ."""

HELD_OUT: dict[str, tuple[str, tuple[str, ...]]] = {
    "holdout": ("as `cpu-64`", ("--holdout", "0.25")),
    "holdout-augment": ("adaptive augmentation", ("--holdout", "0.25", "--augment")),
}
"""Runs that do not train on a quarter of the wells, to measure overfitting."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement: Z′ of held-out control wells with its interval, and the accuracy of held-out tiles."""

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
    """Train and evaluate the runs; write the CSV beside the page and the tables into it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bbbc013", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--seeds-only", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    jobs = {f"seed-{seed}": (LADDER[-1], ("--seed", str(seed))) for seed in SEEDS}
    if not options.seeds_only:
        jobs |= {name: (VARIANT_KIMG, arguments) for name, (_, arguments) in VARIANTS.items()}
        jobs |= {name: (LADDER[-1], arguments) for name, (_, arguments) in HELD_OUT.items()}
        jobs[LONG] = (LONG_LADDER[-1], ("--seed", "0"))
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda job: train(options.bbbc013, options.runs, job[0], *job[1]), jobs.items()))
    runs = {name: folder for name, folder in zip(jobs, folders, strict=True) if name not in HELD_OUT}
    rows = [row for name, folder in runs.items() for row in evaluate(name, folder)]
    write_csv(options.page.with_name("training-bbbc013.csv"), rows)
    write_between(options.page, "bbbc013", "\n".join(ladder(rows)))
    if not options.seeds_only:
        write_between(options.page, "variants", "\n".join(variants(rows)))
        write_between(options.page, "longer", "\n".join(longer(rows)))
        write_between(options.page, "overfitting", "\n".join(overfitting(options.runs)))


def train(data: Path, runs: Path, name: str, kimg: float, arguments: Sequence[str]) -> Path:
    """Train a run to `kimg` on one thread, or resume it, and return its folder."""
    out, gandl = runs / name, Path(sys.executable).with_name("gandl")
    ends = ["--out", out, "--kimg", str(kimg), "--threads", "1"]
    source = [data / "images", "--platemap", data / "platemap.csv"]
    exists = (out / ckpt.CHECKPOINT).exists()
    if exists and ckpt.load(out / ckpt.CHECKPOINT).kimg >= kimg:
        return out
    scale = ["--channel-names", "GFP,DNA", *([] if "--downscale" in arguments else ["--downscale", "2"])]
    command = [gandl, "train", *source, *ends, *(["--resume"] if exists else [*scale, *arguments])]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return out


def evaluate(name: str, folder: Path) -> Iterator[Row]:
    """Yield the rows of a run per layer and whitening, untrained and along training; then of intensity statistics."""
    last = ckpt.load(folder / ckpt.CHECKPOINT)
    checkpoints = [*map(ckpt.load, sorted((folder / "snapshots").glob("*.pt"))), last]
    config = last.config
    marks = (VARIANT_KIMG,) if name in VARIANTS else LONG_LADDER if name == LONG else LADDER
    store = FieldStore.open(folder / "data")
    (cell_line,) = store.index.cell_lines
    controls = control_tiles(store, config.network.resolution, cell_line)
    by_kimg = {checkpoint.kimg: checkpoint for checkpoint in checkpoints if checkpoint.kimg in marks}
    states = [Weights(checkpoint=last, untrained=True), *(Weights(checkpoint=c) for c in by_kimg.values())]
    for weights in states:
        for layer in LAYERS:
            vectors = embed(weights, layer, controls.tiles)
            yield from measure(name, config.seed, weights.kimg, layer, controls, vectors)
    statistics = intensity_statistics(controls.tiles)
    yield from measure(name, config.seed, 0.0, "intensity statistics", controls, statistics)


@torch.no_grad()
def embed(weights: Weights, layer: FeatureLayer, tiles: NDArray[np.uint8], batch: int = 100) -> NDArray[np.float32]:
    """Return the vectors [N, F] of tiles [N, C, S, S]."""
    net = Featurizer(weights.discriminator(), layer)
    parts = [net(torch.from_numpy(tiles[i : i + batch])).numpy() for i in range(0, len(tiles), batch)]
    return np.concatenate(parts)


def measure(
    name: str, seed: int, kimg: float, tap: str, controls: ControlTiles, vectors: NDArray[np.floating]
) -> Iterator[Row]:
    """Yield Z′ and accuracy per whitening."""
    for whitening in WHITENINGS:
        scores = score_controls(vectors, controls, AxisOptions(whitening=whitening))
        on = [scores.on[controls.labels == side] for side in (1, -1)]
        accuracy = share_right(scores.tiles_right, scores.n_tiles, controls.labels != 0)
        assert accuracy is not None
        low, high = interval(*on)
        row = Row(
            run=name,
            seed=seed,
            kimg=kimg,
            tap=tap,
            whitening=whitening,
            z_prime=z_prime(*on) or np.nan,
            low=low,
            high=high,
            tile_accuracy=accuracy,
        )
        print(row, flush=True)
        yield row


def interval(positive: Float, negative: Float, draws: int = 2000) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of Z′ over the wells of each control, from held-out scores."""
    rng = np.random.default_rng(0)
    values = [z_prime(*(rng.choice(wells, len(wells)) for wells in (positive, negative))) for _ in range(draws)]
    low, high = np.percentile([v for v in values if v is not None], [2.5, 97.5])
    return float(low), float(high)


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write all rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            values = [getattr(row, column) for column in COLUMNS]
            writer.writerow([f"{v:.4g}" if isinstance(v, float) else v for v in values])


def ladder(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table along training: the median of the seeds, their range, and the interval of the median seed."""
    seeds = [r for r in rows if r.run.startswith("seed-")]
    yield "| kimg | " + " | ".join(f"`{tap}`, {_whitening_name(w)}" for tap in LAYERS for w in WHITENINGS) + " |"
    yield "|---" * (1 + len(LAYERS) * len(WHITENINGS)) + "|"
    for kimg in sorted({r.kimg for r in seeds}):
        cells = [
            _median([r for r in seeds if (r.kimg, r.tap, r.whitening) == (kimg, tap, whitening)])
            for tap in LAYERS
            for whitening in WHITENINGS
        ]
        yield f"| {'untrained' if kimg == 0 else f'{kimg:g}'} | " + " | ".join(cells) + " |"
    statistics = [r for r in seeds if r.tap == "intensity statistics"]
    parts = ", ".join(
        f"{_whitening_name(w)} {_median([r for r in statistics if r.whitening == w])}" for w in WHITENINGS
    )
    yield ""
    yield f"Intensity statistics of the same tiles: {parts}."


def variants(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table of the settings that were tried, after the same number of images."""
    selected = [r for r in rows if r.kimg == VARIANT_KIMG and r.whitening == "within_class"]
    titles = " | ".join(f"`{tap}`" for tap in LAYERS)
    yield f"| setting ({VARIANT_KIMG} kimg, seed 0, whitened) | {titles} | `{LAYERS[-1]}` gains |"
    yield "|---" * (2 + len(LAYERS)) + "|"
    by_run = {name: {r.tap: r for r in selected if r.run == name} for name in ("seed-0", *VARIANTS)}
    plain = by_run["seed-0"][LAYERS[-1]].z_prime
    for name, by_layer in by_run.items():
        title = VARIANTS[name][0] if name in VARIANTS else "as `cpu-64`"
        cells = [f"{by_layer[t].z_prime:.2f} ({by_layer[t].tile_accuracy:.3f})" for t in LAYERS]
        yield f"| {title} | {' | '.join(cells)} | {by_layer[LAYERS[-1]].z_prime - plain:+.2f} |"


def longer(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table of one longer run, with its gain over the network before its first step."""
    selected = [r for r in rows if r.run == LONG and r.whitening == "within_class" and r.tap in LAYERS]
    yield "| kimg | " + " | ".join(f"`{tap}` | gains" for tap in LAYERS) + " |"
    yield "|---" * (1 + 2 * len(LAYERS)) + "|"
    start = {r.tap: r.z_prime for r in selected if r.kimg == 0}
    for kimg in sorted({r.kimg for r in selected}):
        by_layer = {r.tap: r for r in selected if r.kimg == kimg}
        cells = [
            f"{r.z_prime:.2f} ({r.low:.2f} – {r.high:.2f}) | {r.z_prime - start[t]:+.2f}"
            for t, r in ((t, by_layer[t]) for t in LAYERS)
        ]
        yield f"| {'untrained' if kimg == 0 else f'{kimg:g}'} | {' | '.join(cells)} |"


def overfitting(runs: Path) -> Iterator[str]:
    """Yield the table of the mean score of tiles of training wells and of held-out wells, along training."""
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


def _whitening_name(whitening: str) -> str:
    return {"none": "raw", "within_class": "whitened"}[whitening]


if __name__ == "__main__":
    main()
