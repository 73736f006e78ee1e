"""The control tiles: cut, judged and divided into folds as the analysis of a screen does it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import NotEnoughData
from gandl_training.data.field_store import FieldStore
from gandl_training.data.source import Source
from gandl_training.evaluation.control_tiles import control_tiles, probed_cell_lines
from numpy.typing import NDArray

from tests.training.small_run import packed, resident_kilobytes


def changed_fields(store: FieldStore, changes: Mapping[int, NDArray[np.uint8]]) -> FieldStore:
    """Return the store with other images in some fields."""
    fields = np.array(store.fields)
    for i, image in changes.items():
        fields[i] = image
    return replace(store, fields=fields)


def test_tiles_are_those_of_the_grid_and_folds_are_rows(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    controls = control_tiles(store, 16, "U2OS")
    assert controls.tiles.shape == (8 * 4, 2, 16, 16)
    assert np.array_equal(controls.tiles[5], store.fields[1, :, 4:20, 20:36])  # field 1, second of 2 × 2 tiles
    assert controls.labels.tolist() == [1, 1, -1, -1] * 2
    assert controls.folds.of_well.tolist() == [0] * 4 + [1] * 4
    with pytest.raises(NotEnoughData, match="cell line HeLa has 0 positive and 0 negative control wells"):
        control_tiles(store, 16, "HeLa")


def test_each_cell_line_with_two_wells_of_both_controls_is_probed(plate: Source, tmp_path: Path) -> None:
    lines = plate.platemap.read_text().splitlines()
    plate.platemap.write_text("\n".join(line.replace("U2OS", "HeLa") if "B0" in line else line for line in lines))
    store = packed(plate, tmp_path / "data")
    assert list(probed_cell_lines(store, 16)) == ["U2OS", "HeLa"]
    only = replace(store.index, records=tuple(r for r in store.index.records if r.well != "B04"))
    assert list(probed_cell_lines(replace(store, index=only), 16)) == ["U2OS"]


def test_controls_are_thinned_before_they_are_read(plate: Source, tmp_path: Path) -> None:
    """What stays in memory is a copy of the thinned tiles; nothing keeps the store mapped page by page."""
    store = packed(plate, tmp_path / "data")
    whole, some = (control_tiles(store, 16, "U2OS", max_tiles=n) for n in (None, 20))
    assert np.array_equal(some.tiles, whole.tiles[::2]) and len(whole.tiles) == 32
    assert some.well.tolist() == whole.well[::2].tolist()
    assert (some.labels.tolist(), some.folds.count) == (whole.labels.tolist(), whole.folds.count)
    assert some.tiles.flags.owndata
    large = np.random.default_rng(0).integers(0, 200, (64, 2, 512, 512), np.uint8)
    large = (large // 4 + np.kron(large[..., ::8, ::8], np.ones((8, 8), np.uint8)) // 2).astype(np.uint8)
    np.save(tmp_path / "data" / "fields.npy", large)
    records = tuple(replace(r, well=f"{r.well[0]}{n + 1:02d}") for n, r in enumerate(store.index.records * 8))
    mapped = replace(FieldStore.open(tmp_path / "data"), index=replace(store.index, records=records))
    tracemalloc.start()
    some = control_tiles(mapped, 16, "U2OS", max_tiles=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(some.tiles) == 100
    assert peak < large.nbytes / 4
    assert resident_kilobytes(tmp_path / "data" / "fields.npy") < large.nbytes / 4096


def test_blank_tiles_and_unusable_fields_are_left_out(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    partly_blank = np.array(store.fields[0])
    partly_blank[:, :20, :20] = 60  # one of four tiles
    empty = np.full_like(partly_blank, 60)
    overexposed = np.full_like(partly_blank, 255)
    controls = control_tiles(changed_fields(store, {0: partly_blank, 1: empty, 6: overexposed}), 16, "U2OS")
    assert np.bincount(controls.well, minlength=8).tolist() == [3, 0, 4, 4, 4, 4, 0, 4]
    assert controls.labels.tolist() == [1, 0, -1, -1, 1, 1, 0, -1]
    assert controls.folds.of_well.tolist() == [0, -1, 0, 0, 1, 1, -1, 1]


def test_too_few_usable_wells_are_counted_in_the_message(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    empty = np.full_like(store.fields[0], 60)
    with pytest.raises(NotEnoughData, match="has 1 positive and 4 negative control wells with usable tiles"):
        control_tiles(changed_fields(store, {0: empty, 1: empty, 4: empty}), 16, "U2OS")
