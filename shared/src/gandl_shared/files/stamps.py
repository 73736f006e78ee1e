"""Size and time of files, by which a file is noticed that was replaced after it was checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_READERS = 16

Stamp = tuple[int, int]
"""Size in bytes, and time of the last change in nanoseconds since 1970."""


def stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file, or None where there is no such file."""
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    return state.st_size, state.st_mtime_ns


def stamps(paths: Iterable[Path]) -> dict[Path, Stamp]:
    """Return the stamp of each file that is there; a path that occurs several times is asked once."""
    unique = list(dict.fromkeys(paths))
    # A network file system answers each question after its own time, so several are open at once.
    with ThreadPoolExecutor(_READERS) as pool:
        answers = list(pool.map(stamp, unique, chunksize=256))
    return {path: answer for path, answer in zip(unique, answers, strict=True) if answer is not None}


def change(before: Sequence[int] | None, now: Stamp | None) -> str | None:
    """Return how a file differs from its earlier stamp, or None if it does not, or if one of them is not known."""
    if before is None or now is None or tuple(before) == now:
        return None
    if before[0] != now[0]:
        return f"had {before[0]} bytes when the screen was submitted and has {now[0]} now"
    return "was written again after the screen was submitted"
