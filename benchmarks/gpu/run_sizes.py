"""Measure what runs of other sizes cost a model on a CUDA GPU: in one session, and in a session for each size.

    python -m benchmarks.gpu.run_sizes gandl-bbbc013-64

The last lines tell whether the size of a run decides the bits of a vector. `--device cpu` tries the command where there
is no GPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
from gandl_embedding.engine.onnx_session import OnnxSession
from gandl_embedding.engine.sized_sessions import SizedSessions
from numpy.typing import NDArray

from benchmarks.gpu.embedding import MODELS, PROVIDERS
from benchmarks.tables import row

REPEATS = 3
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
LOADS = {
    "8 tiles": (8,) * 8,
    "64 tiles": (64,) * 8,
    "512 tiles": (512,) * 4,
    "1,024 tiles": (1024,) * 3,
    "448, 512, 384, 576, 320, 64, 512, 448 tiles": (448, 512, 384, 576, 320, 64, 512, 448),
}

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def tiles_per_second(run: Run, tiles: NDArray[np.uint8], sizes: Sequence[int]) -> float:
    """Return the best rate of calls with these numbers of tiles, one after the other."""
    for size in set(sizes):
        run(tiles[:size])
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for size in sizes:
            run(tiles[:size])
        seconds.append(time.perf_counter() - start)
    return sum(sizes) / min(seconds)


def main() -> None:
    """Print a table of rates, and the bits of each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="gandl-bbbc013-64")
    parser.add_argument("--device", choices=PROVIDERS, default="cuda")
    options = parser.parse_args()
    data = (MODELS / f"{options.model}.onnx").read_bytes()

    def open_session() -> OnnxSession:
        return OnnxSession(data, options.model, 1, (PROVIDERS[options.device],))

    one = open_session()
    sized = SizedSessions(open_session(), open_session)
    card = one.card(options.model)
    shape = (max(SIZES), len(card.channels), card.size, card.size)
    tiles = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    print(row("calls with", "one session, tiles/s", "a session for each size, tiles/s"))
    print(row(*["---"] * 3))
    for label, sizes in LOADS.items():
        rates = [tiles_per_second(run, tiles, sizes) for run in (one.run, sized.run)]
        print(row(label, *(f"{rate:.0f}" for rate in rates)), flush=True)
    largest = sized.run(tiles)
    print()
    for size in SIZES[:-1]:
        apart = np.abs(sized.run(tiles[:size]) - largest[:size]).max() / np.abs(largest[:size]).max()
        print(f"A run of {size} differs from one of {max(SIZES)} by {apart:.1e} of the largest number.")


if __name__ == "__main__":
    main()
