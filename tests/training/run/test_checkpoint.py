"""Checkpoints: written whole or not at all, never with values that are not finite, and read without running code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from gandl_shared.errors import BadInput, NotFound, TrainingFailed
from gandl_training.config import TrainConfig
from gandl_training.data.source import Source
from gandl_training.run import checkpoint as ckpt
from gandl_training.steps.step import Trainer

from tests.training.small_run import CAN_MOUNT, MOUNTING, resume_to, train_to


def test_weights_that_are_not_finite_are_never_saved(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The losses of the step are still good: they were measured before its update."""
    train_to(tiny, plate, tmp_path / "run", 0.008)
    before = (tmp_path / "run" / ckpt.CHECKPOINT).read_bytes()
    update = Trainer._update

    def spoilt(self: Trainer, net: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
        if net is self.generator:
            next(p.grad for p in net.parameters() if p.grad is not None).fill_(float("nan"))
        update(self, net, optimiser)

    monkeypatch.setattr(Trainer, "_update", spoilt)
    message = r"tensors, such as generator\..*, hold NaN or infinity at 0\.0 kimg; the last good checkpoint is .*lower"
    with pytest.raises(TrainingFailed, match=message):
        resume_to(plate, tmp_path / "run", 0.016)
    assert (tmp_path / "run" / ckpt.CHECKPOINT).read_bytes() == before


@pytest.mark.skipif(not CAN_MOUNT, reason="no right to mount a file system of its own")
def test_a_checkpoint_on_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    script = """
import torch
from pathlib import Path
from gandl_training.run import checkpoint as ckpt
from gandl_training.config import TrainConfig
path = Path("checkpoint.pt")
ckpt.save(ckpt.Checkpoint(config=TrainConfig(), step=1, state={"small": torch.zeros(9)}), path)
ckpt.save(ckpt.Checkpoint(config=TrainConfig(), step=2, state={"large": torch.zeros(90_000)}), path)
"""
    mounted = 'mount -t tmpfs -o size=200k none small && cd small && "$@"; echo rc $?; ls -A'
    command = [*MOUNTING, "sh", "-c", mounted, "sh", sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "rc 1\ncheckpoint.pt\n"
    message = "cannot write checkpoint.pt: No space left on device; the last good checkpoint is checkpoint.pt"
    assert message in done.stderr


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_to(tiny, plate, tmp_path / "run", 0.008)
    path = tmp_path / "run" / ckpt.CHECKPOINT
    before = path.read_bytes()

    def full(content: object, file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingFailed, match=r"No space left.*last good checkpoint is .*checkpoint\.pt"):
        resume_to(plate, tmp_path / "run", 0.016)
    assert path.read_bytes() == before
    assert not list((tmp_path / "run").glob("*.tmp"))


def test_a_checkpoint_survives_its_file(tiny: TrainConfig, tmp_path: Path) -> None:
    state = {"generator": {"weight": torch.arange(3.0)}, "path_mean": torch.tensor(0.5)}
    checkpoint = ckpt.Checkpoint(config=tiny, step=125, state=state)
    ckpt.save(checkpoint, tmp_path / "checkpoint.pt")
    again = ckpt.load(tmp_path / "checkpoint.pt")
    assert (again.config, again.step, again.kimg) == (tiny, 125, 1.0)
    assert torch.equal(again.state["generator"]["weight"], torch.arange(3.0))
    assert again.state["path_mean"] == 0.5


def test_a_file_that_is_no_checkpoint_is_refused(tiny: TrainConfig, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(NotFound, match="give the folder"):
        ckpt.load(path)
    ckpt.save(ckpt.Checkpoint(config=tiny, step=1, state={"a": torch.zeros(9)}), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="not a gandl checkpoint or is damaged"):
        ckpt.load(path)
    torch.save({"format": 2}, path)
    with pytest.raises(BadInput, match="has format 2; this version of gandl reads format 1"):
        ckpt.load(path)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    """A pickle may call any function; only tensors and plain values are read."""

    class Harmful:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "touched",)

    torch.save({"format": 1, "state": Harmful()}, tmp_path / "checkpoint.pt")
    with pytest.raises(BadInput, match="not a gandl checkpoint or is damaged"):
        ckpt.load(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "touched").exists()
