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
from gandl_training.dataset import Source
from gandl_training.step import Trainer
torch.set_num_threads(1)
Trainer._adam = lambda self, net: torch.optim.SGD(net.parameters(), lr=0.01)
out = Path(sys.argv[1])
source = Source(Path(sys.argv[2]), Path(sys.argv[3]))
print(loop.start(TrainConfig.from_json(sys.argv[4]), source, out).reason)
"""


def test_two_processes_train_as_one(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With plain gradient descent: Adam turns the rounding of a gradient near zero into a whole step."""
    monkeypatch.setattr(Trainer, "_adam", lambda _, net: torch.optim.SGD(net.parameters(), lr=0.01))
    loss = LossConfig(r1_interval=2, path_length_weight=2.0, path_length_interval=2, lipschitz_weight=1.0)
    augment = AugmentConfig(adaptive=True, target=-1.0, speed_kimg=0.1)
    config = replace(tiny, loss=loss, augment=augment, kimg=0.04)
    given = [str(tmp_path / "two"), str(plate.images), str(plate.platemap), config.to_json()]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, *given], env=common | {"RANK": rank}) for rank in ("0", "1")
    ]
    loop.start(config, plate, tmp_path / "one")
    assert [child.wait(timeout=120) for child in children] == [0, 0]
    one, two = (ckpt.load(tmp_path / run / ckpt.CHECKPOINT).state for run in ("one", "two"))
    assert torch.equal(one["augment_p"], two["augment_p"])
    initial = Trainer(config, torch.device("cpu")).state()
    for part in ("generator", "discriminator", "discriminator_ema"):
        for name, value in one[part].items():
            travelled = (value - initial[part][name]).norm()
            assert (value - two[part][name]).norm() <= 1e-4 * travelled + 1e-6, f"{part}.{name}"


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(BadInput, match="batch 8 cannot be shared by 3 processes"):
        Processes(0, 3).check_batch(8)
