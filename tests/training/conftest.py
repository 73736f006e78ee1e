"""A small plate of generated fields and a network small enough that a step takes milliseconds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from gandl_training.config import NetworkConfig, TrainConfig
from gandl_training.data.dataset import Source

TINY = NetworkConfig(
    resolution=16,
    channels=2,
    style=16,
    features=24,
    generator_base=128,
    generator_most=16,
    discriminator_base=128,
    discriminator_most=16,
)

MOUNTING = ("unshare", "--map-root-user", "--mount")
"""Runs a command where it may mount, unseen outside."""
CAN_MOUNT = (
    shutil.which("unshare") is not None
    and subprocess.run([*MOUNTING, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False).returncode
    == 0
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


TINY_RUN = TrainConfig(
    network=TINY, batch=8, bf16=False, seed=3, checkpoint_kimg=1e3, sample_kimg=1e3, snapshot_kimg=1e3, quality_kimg=1e3
)
"""In float32, so that results can be compared closely."""


@pytest.fixture
def tiny() -> TrainConfig:
    return TINY_RUN


@pytest.fixture
def plate(tmp_path: Path) -> Source:
    return make_plate(tmp_path)


def make_plate(folder: Path) -> Source:
    """Eight wells (two rows, both controls in each) of one 40×40 field, two channels; positives are brighter."""
    rng = np.random.default_rng(0)
    images = folder / "images"
    (images / "P1").mkdir(parents=True)
    rows = ["plate,well,role,compound,concentration_um,cell_line"]
    for row in "AB":
        for column, role in enumerate(["positive_control"] * 2 + ["negative_control"] * 2, start=1):
            well = f"{row}{column:02d}"
            rows.append(f"P1,{well},{role},,,U2OS")
            level = 140 if role == "positive_control" else 60
            for channel in (1, 2):
                field = np.kron(rng.normal(level, 30, (10, 10)), np.ones((4, 4))).clip(0, 255).astype(np.uint8)
                tifffile.imwrite(images / "P1" / f"{well}_s1_w{channel}.tif", field)
    platemap = folder / "platemap.csv"
    platemap.write_text("\n".join(rows) + "\n")
    return Source(images, platemap)


def resident(path: Path) -> int:
    """Kilobytes of a mapped file that lie in this process's memory, over all its mappings."""
    maps = Path("/proc/self/smaps").read_text().split(str(path))
    return sum(int(m.split("Rss:")[1].split()[0]) for m in maps[1:])
