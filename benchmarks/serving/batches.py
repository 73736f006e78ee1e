"""The batch with which each released model is fastest on this processor, by processor time on one thread.

    python -m benchmarks.serving.batches --page docs/precision.md

The service chooses among the same batches by wall time when it first serves a model on a device.
"""

from __future__ import annotations

import argparse
import resource
from pathlib import Path

import numpy as np
from gandl_embedding.engine import Engine

from benchmarks.tables import write_between

BATCHES, TILES, ROUNDS = (1, 2, 4, 8, 16), 16, 2


def main() -> None:
    """Measure every model of the folder and print the table, or write it to a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    lines = [f"| tiles per processor second | {' | '.join(f'batch {n}' for n in BATCHES)} | best |", "|---" * 7 + "|"]
    for path in sorted(options.models.glob("*.onnx")):
        speeds = {n: speed(Engine.load(path, threads=1), n) for n in BATCHES}
        best = max(speeds, key=lambda n: speeds[n])
        lines.append(f"| `{path.stem}` | {' | '.join(f'{each:.1f}' for each in speeds.values())} | {best} |")
        print(lines[-1], flush=True)
    if options.page is not None:
        write_between(options.page, "batches", "\n".join(lines))


def speed(engine: Engine, batch: int) -> float:
    """Return the tiles of a processor second in runs of `batch` tiles, the best of a few rounds."""
    engine.use_batch(batch)
    card = engine.card
    tiles = np.random.default_rng(0).integers(0, 256, (TILES, len(card.channels), card.size, card.size), np.uint8)
    return TILES / min(_seconds(engine, tiles) for _ in range(ROUNDS))


def _seconds(engine: Engine, tiles: np.ndarray) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF)
    engine.embed(tiles)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
