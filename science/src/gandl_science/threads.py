"""Independent parts of a computation on several cores: the results do not depend on how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAX_THREADS = 4
"""The most parts that are computed at a time. Each holds arrays of its own, so memory sets this limit."""

Part = TypeVar("Part")
Result = TypeVar("Result")


def available_threads() -> int:
    """Return how many parts to compute at a time: the cores of this process, at most MAX_THREADS."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_THREADS)


def map_parts(function: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """Return the results of all parts in their order. NumPy releases the lock of the interpreter meanwhile."""
    threads = min(available_threads(), len(parts))
    if threads < 2:
        return [function(part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, parts))


def row_parts(rows: int, size: int) -> list[slice]:
    """Return two halves of the rows, or all of them where they are one block of `size`.

    The number of cores has no part in this, so that sums over the parts have the same bits on any machine.
    """
    if rows <= size:
        return [slice(0, rows)]
    middle = size * (-(-rows // size) // 2)
    return [slice(0, middle), slice(middle, rows)]


def row_blocks(rows: slice, size: int) -> Iterator[slice]:
    """Return blocks of at most `size` rows."""
    return (slice(start, min(start + size, rows.stop)) for start in range(rows.start, rows.stop, size))
