"""The memory of this process: freed memory is kept, where the arrays of a large table come and go."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # the parameters of mallopt(3)
_LARGEST = 2**31 - 1
_MAX_ARRAY_BYTES = 2**26
"""Larger arrays are new memory each time. There are few of them, and what they leave free fits nothing else."""
MIN_LARGE_BYTES = 100_000_000
"""A table of so many bytes is large."""


def keep_memory_for(tables: Iterable[Path]) -> None:
    """Make this process keep freed memory if one of the tables is large."""
    if any(path.is_file() and path.stat().st_size >= MIN_LARGE_BYTES for path in tables):
        keep_freed_memory()


def keep_freed_memory() -> bool:
    """Make the C library keep freed memory for the next array, and return whether it does (glibc alone).

    By default every large array is new memory, which the system fills with zeros page by page. With a table of 300,000
    rows that took a fifth of the processor time.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    parameters = {_TRIM_THRESHOLD: _LARGEST, _MMAP_THRESHOLD: _MAX_ARRAY_BYTES, _ARENA_MAX: 1}
    answers = [mallopt(parameter, value) for parameter, value in parameters.items()]
    return all(answer == 1 for answer in answers)
