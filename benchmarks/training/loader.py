"""Does the loader hold still on a store larger than it should keep in memory? Memory and step time, 4 GB against 64 MB.

    python -m benchmarks.training.loader --page docs/training.md [--gigabytes 4]

Both stores hold five-channel fields of noise. Memory is what `/proc/self/status` says of this process: anonymous, and
pages of the mapped file. Steps are those of `cpu-64`, with five channels, interleaved.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from gandl_training.config import preset, with_input
from gandl_training.data.dataset import FIELDS, INDEX, Crops, FieldRecord, FieldStore, StoreIndex
from gandl_training.steps.step import Trainer

from benchmarks.tables import write_between

CHANNELS, EDGE, SIZE, BATCH = 5, 1024, 64, 16
BATCHES, LOOKS = 6400, 8
STEPS = 24


def main() -> None:
    """Make both stores, measure, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--gigabytes", type=float, default=4.0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        stores = {f"{size:g} GB": made(Path(folder) / f"{size:g}", size) for size in (0.064, given.gigabytes)}
        write_between(given.page, "loader", "\n".join(table(stores)))


def made(folder: Path, gigabytes: float) -> FieldStore:
    """A store of noise, written field by field."""
    folder.mkdir()
    count = max(round(gigabytes * 1e9 / (CHANNELS * EDGE**2)), 2)
    rng = np.random.default_rng(0)
    fields = np.lib.format.open_memmap(folder / FIELDS, "w+", np.uint8, (count, CHANNELS, EDGE, EDGE))
    for i in range(count):
        fields[i] = rng.integers(0, 250, fields.shape[1:], np.uint8)
    fields.flush()
    names = tuple(f"channel_{i + 1}" for i in range(CHANNELS))
    records = tuple(FieldRecord("P1", f"A{i + 1:04d}", "1", "treatment", "") for i in range(count))
    index = StoreIndex(names, 1, (0.0,) * CHANNELS, (255.0,) * CHANNELS, records)
    (folder / INDEX).write_text(json.dumps(asdict(index)))
    return FieldStore.open(folder)


def table(stores: dict[str, FieldStore]) -> Iterator[str]:
    """Memory along a stream of batches, and time of a step."""
    seconds = step_seconds(stores)
    yield f"| store | anonymous MB after each {BATCHES // LOOKS} batches | mapped MB | wait for data | step, ms |"
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


def memory(store: FieldStore) -> Iterator[tuple[int, int]]:
    """(anonymous, file-backed) megabytes of this process along a stream."""
    with closing(Crops(store, SIZE, BATCH, seed=0).stream(0)) as batches:
        for _ in range(LOOKS):
            for _ in range(BATCHES // LOOKS):
                next(batches)
            yield _status("RssAnon"), _status("RssFile")


def step_seconds(stores: dict[str, FieldStore]) -> dict[str, tuple[float, float]]:
    """Median seconds of a step with its wait for data, and of the wait alone, for each store."""
    trainer = Trainer(with_input(preset("cpu-64"), channels=CHANNELS), torch.device("cpu"))
    streams = {name: Crops(store, SIZE, BATCH, seed=0).stream(0) for name, store in stores.items()}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in stores}
    for _ in range(STEPS):
        for name, batches in streams.items():
            start = time.perf_counter()
            batch = torch.from_numpy(next(batches))
            waited = time.perf_counter()
            trainer.step = 1  # a step without lazy terms
            trainer.advance(batch)
            found[name].append((time.perf_counter() - start, waited - start))
    for batches in streams.values():
        batches.close()
    return {name: (_median([s for s, _ in v]), _median([w for _, w in v])) for name, v in found.items()}


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else math.nan


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(field))


if __name__ == "__main__":
    main()
