"""Sessions of one model on a GPU, each for runs of one number of tiles.

ONNX Runtime plans each convolution anew whenever a run has another number of tiles than the run before. A service has
other numbers in each run, and would spend more time on plans than on vectors. Here every session has runs of one size
only, so that its plans are made once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

MIN_PIXELS = 2**15
"""Pixels per channel of the smallest run, 8 tiles of 64 × 64."""
START_PIXELS = 2**17
"""Pixels per channel that a GPU embeds in the time that a run takes beyond its tiles, 32 tiles of 64 × 64. On one
NVIDIA H200 runs of 64, 512 and 1,024 such tiles took 0.86 ms, and 19.5 µs for each tile, from `gandl-bbbc013-64`."""


class Session(Protocol):
    """A model that runs: its provider, the library with its version, and the precision where that is not the file's."""

    provider: str
    runtime: str
    precision: str | None

    def run(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors [N, features] of tiles [N, C, size, size]."""


class Run(NamedTuple):
    """A run of `size` tiles, which hold those from `start` to `end` and are empty after them."""

    start: int
    end: int
    size: int


class SizedSessions:
    """Sessions over the same model file, opened by `open_session` when a run of their size is first needed. Several
    threads may call it."""

    def __init__(self, first: Session, open_session: Callable[[], Session]) -> None:
        self.provider, self.runtime, self.precision = first.provider, first.runtime, first.precision
        self._open = open_session
        self._lock = threading.Lock()
        # The first session has no size until it runs.
        self._spare: Session | None = first
        self._sessions: dict[int, Session] = {}

    def first_run(self, count: int, edge: int) -> int:
        """Return how many of `count` tiles with an edge of so many pixels the first run holds."""
        return next(runs_of(count, edge)).end

    def run(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors [N, features] of tiles [N, C, size, size]."""
        parts = [self._run(tiles[run.start : run.end], run.size) for run in runs_of(len(tiles), tiles.shape[-1])]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _run(self, tiles: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
        count = len(tiles)
        if count < size:
            filled = np.zeros((size, *tiles.shape[1:]), np.uint8)
            filled[:count] = tiles
            tiles = filled
        return self._session(size).run(tiles)[:count]

    def _session(self, size: int) -> Session:
        with self._lock:
            if size not in self._sessions:
                self._sessions[size] = self._spare or self._open()
                self._spare = None
            return self._sessions[size]


def runs_of(count: int, edge: int) -> Iterator[Run]:
    """Yield the runs of `count` tiles with an edge of so many pixels: powers of two, the longest first, of which only
    the last may hold empty tiles. It does so where the device computes these in less time than one more run takes."""
    smallest = smallest_run(edge)
    start_cost = START_PIXELS / edge**2
    start = 0
    while start < count:
        left = count - start
        size = max(smallest, 1 << (left - 1).bit_length())
        if size > smallest and _cost(left, smallest, start_cost) < start_cost + size:
            size //= 2
        yield Run(start, min(start + size, count), size)
        start += size


def _cost(count: int, smallest: int, start_cost: float) -> float:
    """Return the least time of runs of `count` tiles, in times of one tile. Each run takes `start_cost` more."""
    if count <= 0:
        return 0.0
    size = max(smallest, 1 << (count - 1).bit_length())
    whole = start_cost + size
    if size == smallest:
        return whole
    return min(whole, start_cost + size // 2 + _cost(count - size // 2, smallest, start_cost))


def smallest_run(edge: int) -> int:
    """Return the number of tiles in the smallest run."""
    return largest_power_of_two(MIN_PIXELS // edge**2)


def largest_power_of_two(number: int) -> int:
    """Return the largest power of two that is not above a number, and 1 for a number below that."""
    return 1 << max(number, 1).bit_length() - 1
