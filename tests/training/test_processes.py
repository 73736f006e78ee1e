"""Two gloo processes against one process of the same global batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gandl_shared.errors import BadInput
from gandl_training import checkpoint as ckpt
from gandl_training import loop
from gandl_training.config import AugmentConfig, LossConfig, TrainConfig
from gandl_training.dataset import Source
from gandl_training.processes import Processes
from gandl_training.step import Trainer

CHILD = """
import sys, torch
from pathlib import Path
from gandl_training import loop
from gandl_training.config import TrainConfig
torch.set_num_threads(1)
out = Path(sys.argv[1])
print(loop.run(TrainConfig.from_json((out / "asked.json").read_text()), out).reason)
"""


def test_two_processes_train_as_one(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    loss = LossConfig(r1_interval=2, path_length_weight=2.0, path_length_interval=2, lipschitz_weight=1.0)
    augment = AugmentConfig(adaptive=True, target=-1.0, speed_kimg=0.1)
    config, _ = loop.prepare_run(replace(tiny, loss=loss, augment=augment), plate, tmp_path / "one")
    loop.prepare_run(replace(tiny, loss=loss, augment=augment), plate, tmp_path / "two")
    config = replace(config, kimg=0.04)
    (tmp_path / "two" / "asked.json").write_text(config.to_json())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path / "two")], env=common | {"RANK": rank})
        for rank in ("0", "1")
    ]
    loop.run(config, tmp_path / "one")
    assert [child.wait(timeout=120) for child in children] == [0, 0]
    one, two = (ckpt.load(tmp_path / run / ckpt.CHECKPOINT).state for run in ("one", "two"))
    assert torch.equal(one["augment_p"], two["augment_p"])
    initial = Trainer(config, torch.device("cpu")).state()
    for part in ("generator", "discriminator", "discriminator_ema"):
        for name, value in one[part].items():
            # sums over the batch are split differently, and Adam magnifies that where a gradient is near zero: compare
            # with the way travelled; without averaged gradients they would differ by about its whole length
            travelled = (value - initial[part][name]).norm()
            assert (value - two[part][name]).norm() <= 0.02 * travelled + 1e-6, f"{part}.{name}"


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(BadInput, match="batch 8 cannot be shared by 3 processes"):
        Processes(0, 3).check_batch(8)
