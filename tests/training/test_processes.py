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
from gandl_shared.errors import BadInput, TrainingFailed
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


COMMAND = """
import sys, time
from datetime import timedelta
import torch.distributed.distributed_c10d as c10d
from gandl.main import run
from gandl_training import loop
c10d.default_pg_timeout = timedelta(seconds=1)
check = loop.check_same
def slowly(*given):
    time.sleep(2)
    check(*given)
loop.check_same = slowly
run()
"""
"""`gandl` as typed, where preparing takes longer than torch lets a process wait for another."""


def test_two_processes_go_on_as_one_run(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    out = tmp_path / "run"
    config, _ = loop.prepare_run(tiny, plate, out)
    loop.run(replace(config, kimg=0.008), out)
    given = ["train", str(plate.images), "--platemap", str(plate.platemap), "--out", str(out), "--resume"]
    done = in_two([sys.executable, "-c", COMMAND, *given, "--threads", "1", "--kimg", "0.016"])
    assert [code for code, _, _ in done] == [0, 0], done
    assert (out / loop.COMMAND).read_text().count("train") == 1
    assert "kimg: 0.0 kimg" in done[0][1]
    assert done[1][1] == ""


def in_two(command: list[str]) -> list[tuple[int, str, str]]:
    """(exit code, stdout, stderr) of each of two processes that `torchrun` would start so."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, env=common | {"RANK": rank}, **pipes) for rank in ("0", "1")]
    told = [process.communicate(timeout=120) for process in both]
    return [(process.returncode, *said) for process, said in zip(both, told, strict=True)]


def test_where_the_first_process_fails_the_others_say_so() -> None:
    class Failed(Processes):
        def agreed(self, code: int, device: torch.device) -> int:
            return 1

    def work() -> None:
        done.append(1)
        raise BadInput("no images")

    done: list[int] = []
    with pytest.raises(TrainingFailed, match="the first process could not prepare the run; its own message says why"):
        Failed(1, 2).first_does(work, torch.device("cpu"))
    assert done == []
    with pytest.raises(BadInput, match="no images"):
        Failed(0, 2).first_does(work, torch.device("cpu"))


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(BadInput, match="batch 8 cannot be shared by 3 processes"):
        Processes(0, 3).check_batch(8)
