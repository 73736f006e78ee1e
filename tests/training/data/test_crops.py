"""Crops: batches by step number, usable crops, and memory that stays small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from gandl_training.data.crops import Crops, is_usable
from gandl_training.data.field_store import FieldStore
from gandl_training.data.source import Source

from tests.training.small_run import packed, resident_kilobytes


def test_batches_are_a_function_of_seed_and_step(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    crops = Crops(store=store, size=16, batch=6, seed=1)
    stream = crops.stream(4)
    assert np.array_equal(next(stream), crops.at(4))
    assert np.array_equal(next(stream), crops.at(5))
    stream.close()
    assert not np.array_equal(crops.at(4), crops.at(5))
    assert not np.array_equal(crops.at(4), replace(crops, seed=2).at(4))
    halves = [replace(crops, rank=r, world_size=2).at(4) for r in (0, 1)]
    assert np.array_equal(np.concatenate(halves), crops.at(4))


def test_a_stream_does_not_keep_the_store_in_memory(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "small")
    large = tmp_path / "large" / "fields.npy"
    large.parent.mkdir()
    fields = np.random.default_rng(0).integers(0, 200, (64, 2, 512, 512), np.uint8)
    np.save(large, fields)
    (large.parent / "fields.json").write_text((tmp_path / "small" / "fields.json").read_text())
    mapped = replace(FieldStore.open(large.parent), index=store.index)
    assert int(mapped.fields.sum(dtype=np.int64)) == int(fields.sum(dtype=np.int64))
    whole = resident_kilobytes(large)
    assert whole > 30_000  # everything was read, and stays
    stream = Crops(store=mapped, size=16, batch=4, seed=0).stream(0)
    for _ in range(20):
        next(stream)
    stream.close()
    assert resident_kilobytes(large) < whole / 4


def test_blank_and_saturated_crops_are_not_usable() -> None:
    textured = np.random.default_rng(0).integers(0, 200, (2, 16, 16)).astype(np.uint8)
    assert is_usable(textured)
    assert not is_usable(np.full((2, 16, 16), 7, np.uint8))
    burnt = textured.copy()
    burnt[1, :5] = 255
    assert not is_usable(burnt)


def test_blank_crops_are_drawn_again(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    fields = np.array(store.fields)
    fields[:4] = 0
    crops = Crops(store=replace(store, fields=fields), size=16, batch=64, seed=0).at(0)
    assert sum(is_usable(crop) for crop in crops) >= 62  # half the fields are blank; 8 draws all fail in 1 of 256
