"""Train variants for some seconds each on packed single cells, and measure the F1 of their features along the way.

    python -m benchmarks.gpu.variants --packed runs/cells --names '(?P<label>[^/]+)/PL(?P<group>.+?)--' \
        --out runs/variants contrast:30 contrast+angle:30 both+angle:60

The name of a variant is a base (`gan`, `contrast` or `both`), changes to it, and seconds, or thousands of images such
as `400kimg`, which are the same training on a card that others use. Fields are packed by `gandl train --pack-only`.
Labels are used to measure only: further processes fit the classifiers of `gandl probe` while the GPU trains. Without
`--names` nothing is measured, and tiles are cut from fields of plates. Each result is printed and written to `f1.csv`
at once; `NAME.pt` is a checkpoint that can be exported.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import re
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from gandl_science.assay.label_probe import Estimate, LabelProbe, probe_labels
from gandl_training.config import TrainConfig, preset, with_changes, with_input
from gandl_training.data.crops import Crops
from gandl_training.data.device_crops import DeviceCrops
from gandl_training.data.field_store import FieldStore
from gandl_training.networks.feature_layer import MULTI_BLOCKS, moments
from gandl_training.networks.stylegan2 import Discriminator
from gandl_training.process_group import process_device
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.training_run import as_computed
from gandl_training.steps.step import Trainer
from numpy.typing import NDArray

Numbers = NDArray[np.float32]
BASES: Mapping[str, Mapping[str, object]] = {
    "gan": {},
    "both": {"loss": {"contrast_weight": 1.0}},
    "contrast": {"loss": {"gan": "none", "contrast_weight": 1.0}, "augment": {"adaptive": False}, "batch": 256},
}
CHANGES: Mapping[str, Mapping[str, object]] = {
    "angle": {"view": {"any_angle": True}},
    "intensity": {"view": {"gain": 0.5, "offset": 0.2}},
    "scale": {"view": {"scale": 0.4}},
    "bright": {"view": {"gain": 0.8, "offset": 0.3}},
    "hole": {"view": {"cutout": 0.3}},
    "whole": {"view": {"cutout": 0.0}},
    "sharp": {"loss": {"contrast_temperature": 0.1}},
    "soft": {"loss": {"contrast_temperature": 0.5}},
    "r1": {"loss": {"r1_gamma": 1.0}},
    "r1-tenth": {"loss": {"r1_gamma": 0.1}},
    "seed1": {"seed": 1},
    "seed2": {"seed": 2},
    "strong": {"loss": {"contrast_weight": 4.0}},
    "double": {"batch": 512},
    "half": {"batch": 128},
    "wide": {"network": {"discriminator_base": 3072, "discriminator_most": 192}},
    "momentum": {"beta1": 0.9},
    "slow": {"learning_rate": 0.001},
    "fast": {"learning_rate": 0.004},
    "average": {"ema_kimg": 100.0},
    "tiny": {"batch": 8, "network": {"discriminator_base": 256, "generator_base": 256, "features": 32, "style": 32}},
}
FIRST_MARK = 100
"""Features are measured after so many thousand images, and after each doubling."""
ORIENTATIONS = 8
COMPONENTS = 256
SYNC_STEPS = 16
MAX_PARAMETERS = 3_500_000
"""Larger networks are saved in half precision."""
COLUMNS = "variant,kimg,seconds,features,weighted_f1,low,high,macro_f1"


@dataclass(frozen=True)
class Cells:
    """Single cells [N, C, S, S] on the device, with numbers of their labels and groups."""

    images: torch.Tensor
    labels: NDArray[np.intp]
    groups: NDArray[np.intp]

    @classmethod
    def of(cls, store: FieldStore, names: str, device: torch.device) -> Cells:
        """Read labels and groups off the file names by an expression with these two groups."""
        matches = [re.search(names, record.site) for record in store.index.records]
        if not all(matches):
            sys.exit(f"{matches.count(None)} names do not match {names}")
        labels, groups = (
            np.unique([m[key] for m in matches if m], return_inverse=True)[1] for key in ("label", "group")
        )
        return cls(torch.from_numpy(np.array(store.fields)).to(device), labels, groups)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """When a training ends: after so many seconds or so many thousand images, whichever is first."""

    seconds: float = math.inf
    kimg: float = math.inf

    @classmethod
    def of(cls, text: str) -> Limit:
        """Read `30` (seconds) or `400kimg`."""
        number, unit, _ = text.partition("kimg")
        return cls(kimg=float(number)) if unit else cls(seconds=float(number))


class Scoreboard:
    """Fits the classifiers in other processes, and writes each F1 when it is there."""

    def __init__(self, cells: Cells, out: Path, processes: int) -> None:
        # One thread for each process, as there are as many processes as processors.
        os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
        self.cells, self.file = cells, out / "f1.csv"
        self.futures: list[Future[LabelProbe]] = []
        # Whitened components are fitted in a second, and other features in up to a minute.
        self.quick: list[Future[LabelProbe]] = []
        if not self.file.is_file():
            self.file.write_text(COLUMNS + "\n")

    def add(self, row: str, features: Numbers, *, components: int | None = None) -> None:
        """Probe features [N, F], or so many of their whitened principal components."""
        future = self.pool.submit(score, features, components, self.cells.labels, self.cells.groups)
        future.add_done_callback(partial(self._write, row))
        self.futures.append(future)
        if components is not None:
            self.quick.append(future)

    def wait(self, seconds: float) -> None:
        """Wait for the classifiers that are being fitted, and leave what is late."""
        late = wait(self.futures, seconds).not_done
        print(f"{len(late)} probes were late", flush=True)
        for process in list(self.pool._processes.values()) if late else ():
            process.terminate()
        self.pool.shutdown(cancel_futures=True)

    def _write(self, row: str, future: Future[LabelProbe]) -> None:
        if future.cancelled() or future.exception() is not None:
            print(f"{row}: {'cancelled' if future.cancelled() else future.exception()}", flush=True)
            return
        f1: Estimate = future.result().weighted_f1
        line = f"{row},{f1.value:.4f},{f1.low:.4f},{f1.high:.4f},{future.result().macro_f1.value:.4f}"
        print("F1 " + line, flush=True)
        with self.file.open("a") as file:
            file.write(line + "\n")


def score(features: Numbers, components: int | None, labels: NDArray[np.intp], groups: NDArray[np.intp]) -> LabelProbe:
    """Probe features, or their whitened components."""
    return probe_labels(features if components is None else whitened(features, components), labels, groups)


def whitened(features: Numbers, components: int) -> Numbers:
    """Return the first principal components of standardised features, each with variance 1."""
    features = features.astype(np.float64)
    scaled = (features - features.mean(0)) / (features.std(0) + 1e-9)
    vectors = np.linalg.svd(scaled, full_matrices=False)[0][:, :components]
    return np.asarray(vectors * np.sqrt(len(vectors)), np.float32)


@torch.no_grad()
def all_features(net: Discriminator, images: torch.Tensor) -> Iterator[Numbers]:
    """Yield the dense features and the moments of all maps for each of the eight orientations of the images."""
    for turn in range(ORIENTATIONS):
        turned = torch.rot90(images, turn % 4, (2, 3))
        turned = turned.flip(3) if turn >= 4 else turned
        parts = []
        for batch in turned.split(512):
            maps = net.maps(batch.float().div(127.5).sub(1))
            parts.append(torch.cat([net.dense_features(maps), *(moments(m) for m in maps)], 1))
        yield torch.cat(parts).cpu().numpy()


def measure(board: Scoreboard, net: Discriminator, row: str, *, in_full: bool) -> None:
    """Probe the features of a network: `fc`, and whitened components of `fc-multi` and of all layers."""
    widths = [net.config.discriminator_width(e) for e in net.config.edges]
    dense, many = net.config.features, MULTI_BLOCKS
    first = dense + 2 * sum(widths[: many.start])
    of_multi = [*range(dense), *range(first, first + 2 * sum(widths[many]))]
    turns = list(all_features(net, board.cells.images))
    one, mean = turns[0], np.mean(turns, axis=0)
    board.add(f"{row},fc", one[:, :dense])
    for name, features in (("one", one), ("mean of 8", mean)):
        board.add(f"{row},fc-multi {name} whitened", features[:, of_multi], components=COMPONENTS)
        board.add(f"{row},all {name} whitened", features, components=COMPONENTS)
    if in_full:
        board.add(f"{row},multi", one[:, of_multi[dense:]])
        board.add(f"{row},fc-multi", one[:, of_multi])
        board.add(f"{row},fc mean of 8", mean[:, :dense])
        board.add(f"{row},fc-multi mean of 8", mean[:, of_multi])


def configured(variant: str, channels: int, size: int | None) -> TrainConfig:
    """Return the configuration of a variant such as `contrast+angle`."""
    base, *changes = variant.split("+")
    config = with_input(preset("gpu-64"), channels=channels, resolution=size)
    for change in (BASES[base], *(CHANGES[name] for name in changes)):
        config = with_changes(config, change)
    return config


def train(
    variant: str,
    limit: Limit,
    store: FieldStore,
    board: Scoreboard | None,
    out: Path,
    *,
    in_full: bool = True,
    label: str = "",
) -> None:
    """Train a variant up to its limit, measure its features at each mark, and save its averaged network."""
    start, name = time.monotonic(), label or variant
    config = configured(variant, store.channels, None if board is None else board.cells.images.shape[-1])
    device = process_device()
    trainer = Trainer(as_computed(config, device), device)
    crops = Crops(store=store, size=config.network.resolution, batch=config.batch, seed=config.seed)
    batches = DeviceCrops.of(crops, trainer.device).stream(0)
    mark, measuring = FIRST_MARK, 0.0
    losses: dict[str, float] = {}
    while time.monotonic() - start < limit.seconds and trainer.kimg < limit.kimg:
        report = trainer.advance(next(batches))
        if trainer.step % SYNC_STEPS == 0:
            losses = {name: round(float(value), 3) for name, value in report.items()}
        # The end is measured in full below.
        if mark <= trainer.kimg < limit.kimg:
            mark *= 2
            before = time.monotonic()
            note(trainer, variant, start, losses)
            row = f"{name},{trainer.kimg:.0f},{before - start:.1f}"
            if board is not None:
                measure(board, trainer.discriminator_ema, row, in_full=False)
            save(trainer, out / f"{variant.replace('+', '-')}.pt")
            measuring += time.monotonic() - before
    note(trainer, variant, start, losses)
    seconds = time.monotonic() - start
    print(
        f"{variant}: {1000 * trainer.kimg / (seconds - measuring):.0f} images/s, {measuring:.1f} s measuring",
        flush=True,
    )
    if board is not None:
        measure(board, trainer.discriminator_ema, f"{name},{trainer.kimg:.0f},{seconds:.1f}", in_full=in_full)
    save(trainer, out / f"{variant.replace('+', '-')}.pt")


def note(trainer: Trainer, variant: str, start: float, losses: Mapping[str, float]) -> None:
    """Print how far a training is."""
    print(f"{variant}: {time.monotonic() - start:.1f} s, {trainer.kimg:.0f} kimg, {dict(losses)}", flush=True)


def save(trainer: Trainer, path: Path) -> None:
    """Write a checkpoint with the averaged discriminator, which can be exported and not resumed."""
    net = trainer.discriminator_ema.state_dict()
    # Half precision loses less than a part in a thousand of each weight.
    large = sum(value.numel() for value in net.values()) > MAX_PARAMETERS
    state = {"discriminator_ema": {name: value.half() if large else value for name, value in net.items()}}
    ckpt.save(ckpt.Checkpoint(config=trainer.config, step=trainer.step, state=state), path)


def main() -> None:
    """Train the variants, one after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="+", metavar="VARIANT:LIMIT")
    parser.add_argument("--packed", type=Path, required=True)
    parser.add_argument("--names")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--wait", type=float, default=60.0, help="seconds for the last classifiers")
    parser.add_argument("--processes", type=int, default=max((os.cpu_count() or 2) - 2, 1))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    store, device = FieldStore.open(options.packed / "data"), process_device()
    board = None
    if options.names:
        board = Scoreboard(Cells.of(store, options.names, device), options.out, options.processes)
    for each in options.variants:
        variant, _, limit = each.partition(":")
        try:
            train(variant, Limit.of(limit), store, board, options.out)
        except Exception:  # the next variants still run
            traceback.print_exc()
        if device.type == "cuda":
            torch.cuda.empty_cache()
    if board is not None:
        board.wait(options.wait)


if __name__ == "__main__":
    main()
