"""Sessions of a GPU: each has runs of one size, whatever numbers of tiles are asked for, and vectors stay in order.

The sessions run on the processor here, so that vectors can be compared bit for bit.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from gandl_embedding.engine.onnx_session import CPU, OnnxSession
from gandl_embedding.engine.sized_sessions import SizedSessions, runs_of, smallest_run
from numpy.typing import NDArray


class Counted:
    """A session of ONNX Runtime that notes the sizes of its runs."""

    provider, runtime, precision = CPU, "onnxruntime", None

    def __init__(self, data: bytes, sizes: dict[int, set[int]]) -> None:
        self._session, self._sizes = OnnxSession(data, "tiny", 1, (CPU,)), sizes

    def run(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._sizes[id(self)].add(len(tiles))
        return self._session.run(tiles)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 31, 32, 33, 47, 48, 64, 65, 384, 448, 576, 1000, 1024])
def test_runs_hold_each_tile_once_and_only_the_last_has_empty_ones(count: int) -> None:
    runs = list(runs_of(count, 64))
    assert [run.start for run in runs] == [0, *(run.end for run in runs[:-1])]
    assert runs[-1].end == count
    assert all(run.size >= 8 and run.size.bit_count() == 1 for run in runs)
    assert all(run.end - run.start == run.size for run in runs[:-1])


@pytest.mark.parametrize("count", [1, 9, 33, 97, 160, 300, 384, 385, 447, 500])
def test_no_other_runs_of_powers_of_two_take_less_time(count: int) -> None:
    # A run of 64 × 64 pixels takes as long as its tiles and 32 more.
    least = [0.0] * (count + 1)
    for tiles in range(1, count + 1):
        least[tiles] = min(32 + size + least[max(tiles - size, 0)] for size in (8, 16, 32, 64, 128, 256, 512))
    assert sum(32 + run.size for run in runs_of(count, 64)) == least[count]


def test_a_run_is_filled_up_where_little_is_missing_and_split_where_much_is() -> None:
    assert [run.size for run in runs_of(448, 64)] == [512]
    assert [run.size for run in runs_of(384, 64)] == [256, 128]
    assert [run.size for run in runs_of(576, 64)] == [512, 64]
    assert [run.size for run in runs_of(1, 64)] == [8]


def test_the_smallest_run_follows_the_pixels_of_a_tile() -> None:
    assert [smallest_run(edge) for edge in (64, 128, 256, 512, 100)] == [8, 2, 1, 1, 2]


def test_every_session_has_runs_of_one_size_and_vectors_are_those_of_one_session(model_file: Path) -> None:
    data = model_file.read_bytes()
    sizes: dict[int, set[int]] = defaultdict(set)
    opened = [Counted(data, sizes)]

    def open_session() -> Counted:
        opened.append(Counted(data, sizes))
        return opened[-1]

    sized = SizedSessions(opened[0], open_session)
    alone = OnnxSession(data, "tiny", 1, (CPU,))
    rng = np.random.default_rng(0)
    # Tiles of 16 pixels: the smallest run has 128 of them.
    for count in (3, 700, 512, 1000, 513, 2000, 1):
        tiles = rng.integers(0, 256, (count, 2, 16, 16), dtype=np.uint8)
        np.testing.assert_array_equal(sized.run(tiles), alone.run(tiles))
    assert sorted(size for used in sizes.values() for size in used) == [128, 512, 1024, 2048]
    assert len(opened) == 4


def test_two_threads_open_one_session_of_a_size(model_file: Path) -> None:
    data = model_file.read_bytes()
    opened = []

    def open_session() -> OnnxSession:
        opened.append(OnnxSession(data, "tiny", 1, (CPU,)))
        return opened[-1]

    sized = SizedSessions(open_session(), open_session)
    tiles = np.zeros((1024, 2, 16, 16), np.uint8)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: sized.run(tiles[: 512 * (1 + number % 2)]), range(8)))
    assert len(opened) == 2
