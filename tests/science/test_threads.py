"""Parts of a computation: the results come in their order, and the parts do not depend on the number of cores."""

from __future__ import annotations

from functools import partial

import pytest
from gandl_science import threads
from gandl_science.threads import map_parts, row_blocks, row_parts


@pytest.mark.parametrize("cores", [1, 3])
def test_results_come_in_the_order_of_the_parts(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available_threads", partial(int, cores))
    assert map_parts(str, range(5)) == ["0", "1", "2", "3", "4"]
    assert map_parts(str, []) == []


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 100])
def test_parts_and_blocks_hold_each_row_once(rows: int) -> None:
    parts = row_parts(rows, 8)
    blocks = [block for part in parts for block in row_blocks(part, 8)]
    assert [i for block in blocks for i in range(rows)[block]] == list(range(rows))
    assert len(parts) == (1 if rows <= 8 else 2)
    assert all(block.stop - block.start <= 8 for block in blocks)
