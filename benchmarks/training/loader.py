"""Measure whether the loader needs more memory or time on a large store: 4 GB against 64 MB.

    python -m benchmarks.training.loader --page docs/training.md [--gigabytes 4]

Both stores hold five-channel fields of noise. The memory of this process is read from `/proc/self/status`: anonymous
memory, and pages of the mapped file. The steps are those of `cpu-64` with five channels; both stores take turns.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from gandl_training.config import preset, with_input
from gandl_training.data.crops import Crops
from gandl_training.data.field_store import FIELDS, INDEX, FieldRecord, FieldStore, StoreIndex
from gandl_training.steps.step import Trainer

from benchmarks.tables import write_between

CHANNELS, EDGE, SIZE, BATCH = 5, 1024, 64, 16
BATCHES, MEASUREMENTS = 6400, 8
STEPS = 24


def main() -> None:
    """Make both stores, measure them and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--gigabytes", type=float, default=4.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        stores = {f"{size:g} GB": make_store(Path(folder) / f"{size:g}", size) for size in (0.064, options.gigabytes)}
        write_between(options.page, "loader", "\n".join(table(stores)))


def make_store(folder: Path, gigabytes: float) -> FieldStore:
    """Write a store of noise field by field, and open it."""
    folder.mkdir()
    count = max(round(gigabytes * 1e9 / (CHANNELS * EDGE**2)), 2)
    rng = np.random.default_rng(0)
    fields = np.lib.format.open_memmap(folder / FIELDS, "w+", np.uint8, (count, CHANNELS, EDGE, EDGE))
    for i in range(count):
        fields[i] = rng.integers(0, 250, fields.shape[1:], np.uint8)
    fields.flush()
    names = tuple(f"channel_{i + 1}" for i in range(CHANNELS))
    records = tuple(
        FieldRecord(plate="P1", well=f"A{i + 1:04d}", site="1", role="treatment", cell_line="") for i in range(count)
    )
    index = StoreIndex(channels=names, downscale=1, low=(0.0,) * CHANNELS, high=(255.0,) * CHANNELS, records=records)
    (folder / INDEX).write_text(index.to_json())
    return FieldStore.open(folder)


def table(stores: dict[str, FieldStore]) -> Iterator[str]:
    """Yield the lines of the table: memory along a stream of batches, and the time of a step."""
    seconds = step_seconds(stores)
    interval = BATCHES // MEASUREMENTS
    yield f"| store | anonymous MB after each {interval} batches | mapped MB | wait for data | step, ms |"
    yield "|---|---|---|---|---|"
    for name, store in stores.items():
        anonymous, mapped = zip(*memory(store), strict=True)
        step, wait = seconds[name]
        cells = (
            " ".join(map(str, anonymous)),
            " ".join(map(str, mapped)),
            f"{100 * wait / step:.1f} %",
            f"{1000 * step:.0f}",
        )
        yield f"| {name} | " + " | ".join(cells) + " |"


def crops_of(store: FieldStore) -> Crops:
    """Return the crops that both measurements draw."""
    return Crops(store=store, size=SIZE, batch=BATCH, seed=0)


def memory(store: FieldStore) -> Iterator[tuple[int, int]]:
    """Yield the anonymous and the file-backed megabytes of this process along a stream."""
    with closing(crops_of(store).stream(0)) as batches:
        for _ in range(MEASUREMENTS):
            for _ in range(BATCHES // MEASUREMENTS):
                next(batches)
            yield _status("RssAnon"), _status("RssFile")


def step_seconds(stores: dict[str, FieldStore]) -> dict[str, tuple[float, float]]:
    """Return, for each store, the median seconds of a step with its wait for data, and of the wait alone."""
    trainer = Trainer(with_input(preset("cpu-64"), channels=CHANNELS), torch.device("cpu"))
    streams = {name: crops_of(store).stream(0) for name, store in stores.items()}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in stores}
    for _ in range(STEPS):
        for name, batches in streams.items():
            start = time.perf_counter()
            batch = torch.from_numpy(next(batches))
            waited = time.perf_counter()
            trainer.step = 1  # a step without lazy terms
            trainer.advance(batch)
            seconds[name].append((time.perf_counter() - start, waited - start))
    for batches in streams.values():
        batches.close()
    return {name: (_median([s for s, _ in v]), _median([w for _, w in v])) for name, v in seconds.items()}


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else math.nan


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(field))


if __name__ == "__main__":
    main()
