"""A small plate of generated fields, and a network so small that a step takes milliseconds."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import tifffile
import torch
import typer
from gandl.commands.training.export import export
from gandl.commands.training.train import train
from gandl_training.config import AugmentConfig, LossConfig, NetworkConfig, TrainConfig
from gandl_training.data.field_store import FieldStore
from gandl_training.data.packing import pack
from gandl_training.data.source import Source
from gandl_training.run import checkpoint as ckpt
from gandl_training.run import training_run
from gandl_training.run.loop import Callbacks, Outcome
from typer.testing import CliRunner

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

TINY_RUN = TrainConfig(
    network=TINY, batch=8, bf16=False, seed=3, checkpoint_kimg=1e3, sample_kimg=1e3, snapshot_kimg=1e3, quality_kimg=1e3
)
"""In float32, so that results can be compared closely."""

MOUNTING = ("unshare", "--map-root-user", "--mount")
"""Runs a command that may mount file systems which nobody else sees."""
CAN_MOUNT = (
    shutil.which("unshare") is not None
    and subprocess.run([*MOUNTING, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False).returncode
    == 0
)


LEVELS = {"positive_control": 140, "negative_control": 60, "treatment": 100}
"""The mean intensity of the fields of each role."""


def make_plate(folder: Path, *, rows: str = "AB", treatments: int = 0) -> Source:
    """Write a plate of which each well is one 40×40 field of two channels.

    Each row has two positive and two negative controls, and so many treatments; positives are brighter.
    """
    rng, noise = np.random.default_rng(0), np.random.default_rng(1)
    images = folder / "images"
    (images / "P1").mkdir(parents=True)
    lines = ["plate,well,role,compound,concentration_um,cell_line"]
    roles = ["positive_control"] * 2 + ["negative_control"] * 2 + ["treatment"] * treatments
    for row in rows:
        for column, role in enumerate(roles, start=1):
            well = f"{row}{column:02d}"
            lines.append(f"P1,{well},{role},{'Drug,1' if role == 'treatment' else ','},U2OS")
            for channel in (1, 2):
                cells = np.kron(rng.normal(LEVELS[role], 30, (10, 10)), np.ones((4, 4)))
                field = (cells + noise.normal(0, 3, (40, 40))).clip(0, 255).astype(np.uint8)
                tifffile.imwrite(images / "P1" / f"{well}_s1_w{channel}.tif", field)
    platemap = folder / "platemap.csv"
    platemap.write_text("\n".join(lines) + "\n")
    return Source(images, platemap)


def make_treatments(plate: Source) -> None:
    """Turn all control wells of the plate map into treatments."""
    text = plate.platemap.read_text()
    plate.platemap.write_text(re.sub(r"(positive|negative)_control,,", "treatment,Drug,1", text))


def packed(plate: Source, folder: Path) -> FieldStore:
    """Pack the plate for tiles of 16 pixels."""
    return pack(plate, folder, size=16)


def with_all_terms(config: TrainConfig) -> TrainConfig:
    """Switch on all regularisers and the augmentation, at intervals that fall on both sides of an interruption."""
    loss = LossConfig(r1_interval=3, path_length_weight=2.0, path_length_interval=2, lipschitz_weight=1.0)
    return replace(config, loss=loss, augment=AugmentConfig(adaptive=True, target=-1.0, speed_kimg=0.1))


def train_to(config: TrainConfig, plate: Source, out: Path, kimg: float, callbacks: Callbacks | None = None) -> Outcome:
    """Start a run in `out` that ends at `kimg`."""
    return training_run.start(replace(config, kimg=kimg), plate, out, callbacks or Callbacks())


def resume_to(plate: Source, out: Path, kimg: float) -> Outcome:
    """Resume the run in `out` until `kimg`, as the command does: with the configuration of its checkpoint."""
    config = ckpt.load(out / ckpt.CHECKPOINT).config
    return training_run.resume(replace(config, kimg=kimg), plate, out)


def gandl(*arguments: str) -> str:
    """Run `gandl train` or `gandl export` and return its output. Raises the error of the command."""
    app = typer.Typer()
    app.command("train")(train)
    app.command("export")(export)
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None:
        raise result.exception
    return result.output


def flat_state(out: Path) -> dict[str, torch.Tensor]:
    """Return every tensor of the checkpoint in `out` by its full name."""
    flat: dict[str, torch.Tensor] = {}
    for part, values in ckpt.load(out / ckpt.CHECKPOINT).state.items():
        if isinstance(values, torch.Tensor):
            flat[part] = values
        elif part.startswith("optimiser"):
            flat |= {f"{part}.{i}.{k}": v for i, moments in values["state"].items() for k, v in moments.items()}
        else:
            flat |= {f"{part}.{k}": v for k, v in values.items()}
    return flat


def resident_kilobytes(path: Path) -> int:
    """Return how many kilobytes of a mapped file are in the memory of this process, over all its mappings."""
    maps = Path("/proc/self/smaps").read_text().split(str(path))
    return sum(int(m.split("Rss:")[1].split()[0]) for m in maps[1:])


def make_cells(folder: Path, edges: Sequence[tuple[int, int]] = ((16, 16),) * 12) -> Source:
    """Write the images of single cells with two channels, one file for each pair of edges (height, width)."""
    rng = np.random.default_rng(0)
    for i, (height, width) in enumerate(edges):
        path = folder / "cells" / f"kind{i % 2}" / f"{i:02d}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        cell = rng.integers(20, 230, (2, height, width), np.uint8)
        tifffile.imwrite(path, cell, photometric="minisblack")
    return Source(folder / "cells", None, single_cells=True)
