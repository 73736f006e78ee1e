"""Crops that a device cuts: those of the fields, by seed and step, shared by processes, and usable ones first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from gandl_training.data.crops import Crops, is_usable
from gandl_training.data.device_crops import DeviceCrops
from gandl_training.data.source import Source

from tests.training.small_run import packed

CPU = torch.device("cpu")


def test_batches_are_crops_of_the_fields_by_seed_and_step(plate: Source, tmp_path: Path) -> None:
    crops = Crops(store=packed(plate, tmp_path / "data"), size=16, batch=6, seed=1, fields=(0, 2))
    batches = DeviceCrops.of(crops, CPU)
    stream = batches.stream(4)
    assert torch.equal(next(stream), batches.at(4))
    assert torch.equal(next(stream), batches.at(5))
    assert not torch.equal(batches.at(4), batches.at(5))
    assert not torch.equal(batches.at(4), DeviceCrops.of(replace(crops, seed=2), CPU).at(4))
    halves = [DeviceCrops.of(replace(crops, rank=r, world_size=2), CPU).at(4) for r in (0, 1)]
    assert torch.equal(torch.cat(halves), batches.at(4))
    windows = np.lib.stride_tricks.sliding_window_view(crops.store.fields[[0, 2]], (16, 16), (2, 3))
    for crop in batches.at(4).numpy():
        turned = [t for k in range(4) for t in (np.rot90(crop, k, (1, 2)), np.rot90(crop, k, (1, 2))[:, :, ::-1])]
        assert any((windows == t[None, :, None, None]).all((1, 4, 5)).any() for t in turned)


def test_all_positions_and_orientations_are_drawn(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    ramp = np.arange(18 * 18, dtype=np.float64).reshape(1, 1, 18, 18) / 2
    fields = np.broadcast_to(ramp, (len(store.fields), store.channels, 18, 18)).astype(np.uint8)
    crops = Crops(store=replace(store, fields=fields), size=16, batch=2048, seed=0)
    corners = {tuple(crop[0][[0, 0, -1], [0, -1, 0]].tolist()) for crop in DeviceCrops.of(crops, CPU).at(0)}
    assert len(corners) == 72  # 3 × 3 positions in 8 orientations


def test_blank_and_saturated_crops_are_drawn_again(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    fields = np.array(store.fields)
    fields[:2], fields[2] = 0, 255
    crops = Crops(store=replace(store, fields=fields), size=16, batch=64, seed=0)
    assert sum(is_usable(crop) for crop in DeviceCrops.of(crops, CPU).at(0).numpy()) >= 62
    assert not DeviceCrops.fit(crops, CPU)
