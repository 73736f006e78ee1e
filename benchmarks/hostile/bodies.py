"""Hostile bodies: crafted files, and mutations of valid ones. The same seed gives the same bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from gandl_shared.clients.wire import NPY

from benchmarks.hostile.crafted import hostile_arrays, hostile_pngs, hostile_tiffs
from benchmarks.hostile.forms import hostile_forms, parts
from benchmarks.hostile.seeds import valid_arrays, valid_pngs, valid_tiffs

EXTREMES = (0, 1, 2, 7, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)


@dataclass(frozen=True, kw_only=True)
class Body:
    """A body of `POST /embed`: its kind, its media type and its bytes."""

    kind: str
    media: str
    content: bytes


def crafted_bodies(cases: Path | None = None) -> Iterator[Body]:
    """Yield one body of each kind that was built by hand, and those of a folder of cases."""
    yield from (_of_tiff(kind, content) for kind, content in hostile_tiffs())
    yield from (_of_png(kind, content) for kind, content in hostile_pngs())
    yield from (Body(kind=f"npy: {kind}", media=NPY, content=content) for kind, content in hostile_arrays())
    yield from (Body(kind=f"form: {kind}", media=media, content=content) for kind, media, content in hostile_forms())
    makers: Mapping[str, Callable[[str, bytes], Body]] = {".tif": _of_tiff, ".png": _of_png, ".npy": _of_npy}
    for path in sorted(cases.iterdir()) if cases else ():
        if path.suffix in makers:
            yield makers[path.suffix](f"case {path.name}", path.read_bytes())


def mutated_bodies(count: int, seed: int) -> Iterator[Body]:
    """Yield `count` mutations of valid files."""
    generator = np.random.default_rng(seed)
    sources: list[tuple[Callable[[str, bytes], Body], str, bytes]] = [
        *((_of_tiff, f"mutated {name}", content) for name, content in valid_tiffs().items()),
        *((_of_png, f"mutated {name}", content) for name, content in valid_pngs().items()),
        *((_of_npy, f"mutated {name}", content) for name, content in valid_arrays().items()),
    ]
    for make, kind, content in islice(cycle(sources), count):
        yield make(kind, mutated(content, generator))


def mutated(content: bytes, generator: np.random.Generator) -> bytes:
    """Return `content` after one to four mutations."""
    data = bytearray(content)
    for _ in range(generator.integers(1, 5)):
        _MUTATIONS[generator.integers(len(_MUTATIONS))](data, generator)
    return bytes(data)


def _flip(data: bytearray, generator: np.random.Generator) -> None:
    for _ in range(generator.integers(1, 20)):
        if data:
            data[generator.integers(len(data))] ^= 1 << int(generator.integers(8))


def _flip_in_head(data: bytearray, generator: np.random.Generator) -> None:
    for _ in range(generator.integers(1, 6)):
        if data:
            data[generator.integers(min(400, len(data)))] = int(generator.integers(256))


def _number(data: bytearray, generator: np.random.Generator) -> None:
    """Write an extreme number of two or four bytes, most often into the head, where counts and addresses are."""
    width = int(generator.choice([2, 4]))
    end = len(data) if generator.random() < 0.3 else min(400, len(data))
    value = int(generator.choice(EXTREMES)) if generator.random() < 0.8 else int(generator.integers(max(len(data), 1)))
    position = int(generator.integers(max(end - width, 1)))
    data[position : position + width] = (value % 2 ** (8 * width)).to_bytes(width, "little")


def _cut(data: bytearray, generator: np.random.Generator) -> None:
    del data[int(generator.integers(len(data) + 1)) :]


def _remove(data: bytearray, generator: np.random.Generator) -> None:
    start = int(generator.integers(len(data) + 1))
    del data[start : start + int(generator.integers(1, 64))]


def _repeat(data: bytearray, generator: np.random.Generator) -> None:
    start = int(generator.integers(len(data) + 1))
    data[start:start] = data[start : start + int(generator.integers(1, 2000))]


def _erase(data: bytearray, generator: np.random.Generator) -> None:
    start, length = int(generator.integers(len(data) + 1)), int(generator.integers(1, 300))
    data[start : start + length] = bytes([int(generator.choice([0, 255]))]) * len(data[start : start + length])


_MUTATIONS: Sequence[Callable[[bytearray, np.random.Generator], None]] = (
    _flip,
    _flip_in_head,
    _number,
    _number,
    _cut,
    _remove,
    _repeat,
    _erase,
)


def _of_tiff(kind: str, content: bytes) -> Body:
    return _form(f"TIFF: {kind}", [("image", "a.tif", content)])


def _of_png(kind: str, content: bytes) -> Body:
    return _form(f"PNG: {kind}", [("channel", "a.png", content), ("channel", "b.png", content)])


def _of_npy(kind: str, content: bytes) -> Body:
    return Body(kind=f"npy: {kind}", media=NPY, content=content)


def _form(kind: str, files: Sequence[tuple[str, str, bytes]]) -> Body:
    media, content = parts(files)
    return Body(kind=kind, media=media, content=content)
