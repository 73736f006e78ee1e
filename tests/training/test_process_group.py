"""Two processes of `torchrun` against one process of the same global batch, and batches they cannot share."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gandl_shared.errors import BadInput, TrainingFailed
from gandl_training.config import AugmentConfig, LossConfig, TrainConfig
from gandl_training.data.source import Source
from gandl_training.networks.layers import group_stddev
from gandl_training.process_group import ProcessGroup, is_main_process, join_process_group, trains_as_one
from gandl_training.run import checkpoint as ckpt
from gandl_training.run import run_folder, training_run
from gandl_training.steps.step import Trainer

from tests.training.small_run import train_to

CHILD = """
import os, sys, torch
from pathlib import Path
from gandl_training.run import run_folder, training_run
from gandl_training.config import TrainConfig
from gandl_training.data.source import Source
from gandl_training.steps.step import Trainer
torch.set_num_threads(1)
Trainer._adam = lambda self, net, *_: torch.optim.SGD(net.parameters(), lr=0.01)
out = Path(sys.argv[1])
source = Source(Path(sys.argv[2]), Path(sys.argv[3]))
reason = training_run.start(TrainConfig.from_json(sys.argv[4]), source, out).reason
print(f"{os.environ['WORLD_SIZE']}:{reason}", flush=True)
"""


@pytest.mark.slow
def test_two_processes_of_torchrun_train_as_one(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With plain gradient descent: Adam turns the rounding of a gradient near zero into a whole step."""
    monkeypatch.setattr(Trainer, "_adam", lambda _, net, *__: torch.optim.SGD(net.parameters(), lr=0.01))
    loss = LossConfig(r1_interval=2, path_length_weight=2.0, path_length_interval=2, lipschitz_weight=1.0)
    augment = AugmentConfig(adaptive=True, target=-1.0, speed_kimg=0.1)
    config = replace(tiny, loss=loss, augment=augment, kimg=0.04)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    arguments = [str(tmp_path / "two"), str(plate.images), str(plate.platemap), config.to_json()]
    with subprocess.Popen(
        [*torchrun, sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as two:
        try:
            training_run.start(config, plate, tmp_path / "one")
            output, errors = two.communicate(timeout=120)
        finally:
            two.terminate()  # where they hang, torchrun ends both
    assert (two.returncode, "".join(output.split())) == (0, "2:kimg2:kimg"), errors  # lines of two may mix
    initial = Trainer(config, torch.device("cpu")).state()
    saved = {run: ckpt.load(tmp_path / run / ckpt.CHECKPOINT).state for run in ("one", "two")}
    assert torch.equal(saved["one"]["augment_p"], saved["two"]["augment_p"])
    for part in ("generator", "discriminator", "generator_ema", "discriminator_ema"):
        for name, value in saved["one"][part].items():
            travelled = (value - initial[part][name]).norm()
            assert (value - saved["two"][part][name]).norm() <= 1e-4 * travelled + 1e-6, f"{part}.{name}"


COMMAND = """
import sys, time
from datetime import timedelta
import torch.distributed.distributed_c10d as c10d
from gandl.main import run
from gandl_training.run import run_folder, training_run
c10d.default_pg_timeout = timedelta(seconds=1)
check = loop.check_same
def slowly(*given):
    time.sleep(2)
    check(*given)
loop.check_same = slowly
run()
"""
"""`gandl` as typed, where preparing takes longer than torch lets a process wait for another."""


@pytest.mark.slow
def test_two_processes_go_on_as_one_run(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train_to(tiny, plate, out, 0.008)
    arguments = ["train", str(plate.images), "--platemap", str(plate.platemap), "--out", str(out), "--resume"]
    done = in_two([sys.executable, "-c", COMMAND, *arguments, "--threads", "1", "--kimg", "0.016"])
    assert [code for code, _, _ in done] == [0, 0], done
    assert (out / run_folder.COMMAND).read_text().count("train") == 1  # the first run had no command line
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
    outputs = [process.communicate(timeout=120) for process in both]
    return [(process.returncode, *output) for process, output in zip(both, outputs, strict=True)]


def test_where_the_main_process_fails_the_others_say_so() -> None:
    class Failed(ProcessGroup):
        def maximum(self, code: int, device: torch.device) -> int:
            return 1

    def work() -> None:
        done.append(1)
        raise BadInput("no images")

    done: list[int] = []
    with pytest.raises(TrainingFailed, match="the main process could not prepare the run; its own message says why"):
        Failed(1, 2).run_on_main(work, torch.device("cpu"))
    assert done == []
    with pytest.raises(BadInput, match="no images"):
        Failed(0, 2).run_on_main(work, torch.device("cpu"))


@pytest.mark.parametrize(
    ("batch", "world", "path_length", "message"),
    [
        (8, 3, 0.0, "batch 8 cannot be shared by 3 processes .* a multiple of 12 .*: 1, 2$"),
        (16, 8, 0.0, "batch 16 cannot be shared by 8 processes .* a multiple of 32 .*: 1, 2, 4$"),
        (6, 2, 2.0, "batch 6 cannot be shared by 2 processes .* a multiple of 8 .*: 1$"),
        (2, 4, 0.0, "batch 2 cannot be shared by 4 processes .* a multiple of 16 .*: 1$"),
    ],
)
def test_a_batch_that_cannot_be_shared_is_refused(batch: int, world: int, path_length: float, message: str) -> None:
    """Pairs instead of fours in the standard deviation, and three halves of path length that would be two."""
    config = TrainConfig(batch=batch, loss=LossConfig(path_length_weight=path_length))
    with pytest.raises(BadInput, match=message):
        ProcessGroup(0, world).check_batch(config)


def test_the_contrastive_term_is_refused_in_several_processes() -> None:
    """Its negatives are the other images of the batch, and those of other processes would be absent."""
    config = TrainConfig(loss=LossConfig(contrast_weight=1.0))
    ProcessGroup().check_batch(config)
    with pytest.raises(BadInput, match="the contrastive term compares all images of a batch"):
        ProcessGroup(0, 2).check_batch(config)


def test_a_batch_that_cannot_be_shared_leaves_nothing_behind(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "join_process_group", lambda: nullcontext(ProcessGroup(0, 3)))
    with pytest.raises(BadInput, match="cannot be shared"):
        training_run.start(tiny, plate, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("world", [2, 3, 4])
@pytest.mark.parametrize("batch", range(2, 25))
def test_shares_pass_where_their_standard_deviations_are_the_whole_batchs(batch: int, world: int) -> None:
    x = torch.randn(batch, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    equal = batch % world == 0 and torch.equal(
        torch.cat([group_stddev(share, 4) for share in x.chunk(world)]), group_stddev(x, 4)
    )
    assert trains_as_one(TrainConfig(batch=batch), world) == equal
    path_length = TrainConfig(batch=batch, loss=LossConfig(path_length_weight=2.0))
    assert trains_as_one(path_length, world) == (equal and world * (batch // world // 2) == batch // 2)


def test_a_process_alone_is_a_group_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert is_main_process()
    with join_process_group() as group:
        assert (group.is_main, group.world_size) == (True, 1)
        value = torch.tensor([1.5, 2.5])
        assert torch.equal(group.mean(value), value)
        assert group.maximum(3, torch.device("cpu")) == 3
        group.wait()


def test_the_main_process_is_the_one_of_rank_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, main in (("0", True), ("1", False)):
        monkeypatch.setenv("RANK", rank)
        assert is_main_process() is main
