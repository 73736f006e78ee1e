"""Plate-shaped blocks become a table; a block that is not complete or has no name is refused by its row."""

from __future__ import annotations

import pytest
from gandl_shared.plates.tables.grids import grid_rows
from gandl_shared.plates.well_names import row_letters

SIZES = {(8, 12): "H12", (16, 24): "P24", (32, 48): "AF48"}


def block(label: str, cells: dict[tuple[int, int], str], size: tuple[int, int] = (8, 12)) -> list[list[str]]:
    lines = [[label, *(str(n + 1) for n in range(size[1]))]]
    for i in range(size[0]):
        lines.append([row_letters(i + 1), *(cells.get((i, j), "") for j in range(size[1]))])
    return lines


@pytest.mark.parametrize(("size", "last"), SIZES.items())
def test_every_format_of_plates_is_read(size: tuple[int, int], last: str) -> None:
    corner = (size[0] - 1, size[1] - 1)
    rows = [["plate", "P1"], *block("compound", {(0, 0): "X", corner: "Y"}, size)]
    table, numbers, problems = grid_rows(rows, "m.csv") or ([], [], [])
    assert table == [["plate", "well", "compound"], ["P1", "A01", "X"], ["P1", last, "Y"]]
    assert (numbers, problems) == ([3, 2 + size[0]], [])


def test_layers_of_several_plates_are_joined_by_well() -> None:
    rows = [["Plate: P1"], ["Role"], *block("", {(0, 0): "trt"}), [], *block("dose (nM)", {(0, 0): "300"}), []]
    rows += [["Plate", "P2"], *block("Role", {(1, 1): "DMSO"})]
    table, _, problems = grid_rows(rows, "m.csv") or ([], [], [])
    assert problems == []
    assert table == [
        ["plate", "well", "Role", "dose (nM)"],
        ["P1", "A01", "trt", "300"],
        ["P2", "B02", "DMSO", ""],
    ]


def test_blocks_may_stand_side_by_side() -> None:
    left, right = block("compound", {(0, 0): "X"}), block("role", {(0, 0): "trt"})
    rows = [["plate", "P1"], *([*a, "", *b] for a, b in zip(left, right, strict=True))]
    table, _, problems = grid_rows(rows, "m.csv") or ([], [], [])
    assert (table[1], problems) == (["P1", "A01", "X", "trt"], [])


BAD = {
    "the block has 7 rows and 12 columns": [["plate", "P1"], *block("role", {(0, 0): "x"})[:-1]],
    "the block has no name": [["plate", "P1"], *block("", {(0, 0): "x"})],
    "nothing names the plate": block("role", {(0, 0): "x"}),
    "already; keep one": [["plate", "P1"], *block("role", {}), *block("Role", {})],
    "the block has 16 × 24 wells, but 'role'": [["plate", "P"], *block("role", {}), *block("dose", {}, (16, 24))],
}


@pytest.mark.parametrize(("words", "rows"), BAD.items(), ids=BAD)
def test_a_block_that_is_unclear_is_refused_by_its_row(words: str, rows: list[list[str]]) -> None:
    _, _, problems = grid_rows(rows, "m.csv") or ([], [], [])
    assert words in str(problems[0])
    assert problems[0].row is not None


def test_a_list_of_wells_is_no_grid() -> None:
    assert grid_rows([["plate", "well", "1"], ["A", "A01", "2"]], "m.csv") is None
