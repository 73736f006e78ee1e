"""Runs that survive: bit-identical resume, signals, NaN, a checkpoint that cannot be written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gandl_shared.errors import BadInput, NotFound, TrainingFailed
from gandl_training.config import AugmentConfig, LossConfig, TrainConfig
from gandl_training.data.dataset import Source, pack
from gandl_training.networks.stylegan2 import Discriminator
from gandl_training.run import checkpoint as ckpt
from gandl_training.run import loop
from gandl_training.run import metric_log as journal
from gandl_training.steps.step import Trainer

from tests.training.conftest import CAN_MOUNT, MOUNTING, make_plate


def everything(config: TrainConfig) -> TrainConfig:
    """All regularisers and the augmentation on, at intervals that fall on both sides of an interruption."""
    loss = LossConfig(r1_interval=3, path_length_weight=2.0, path_length_interval=2, lipschitz_weight=1.0)
    return replace(config, loss=loss, augment=AugmentConfig(adaptive=True, target=-1.0, speed_kimg=0.1))


def start(config: TrainConfig, plate: Source, out: Path, kimg: float) -> loop.Outcome:
    config, _ = loop.prepare_run(config, plate, out)
    return loop.run(replace(config, kimg=kimg), out)


def scores_are_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Discriminator.forward
    monkeypatch.setattr(Discriminator, "forward", lambda self, x: forward(self, x) * float("nan"))


def resume(out: Path, kimg: float) -> loop.Outcome:
    return loop.run(replace(ckpt.load(out / ckpt.CHECKPOINT).config, kimg=kimg), out)


def weights(out: Path) -> dict[str, torch.Tensor]:
    state = ckpt.load(out / ckpt.CHECKPOINT).state
    flat = {}
    for part, values in state.items():
        if isinstance(values, torch.Tensor):
            flat[part] = values
        elif part.startswith("optimiser"):
            flat |= {f"{part}.{i}.{k}": v for i, s in values["state"].items() for k, v in s.items()}
        else:
            flat |= {f"{part}.{k}": v for k, v in values.items()}
    return flat


@pytest.mark.parametrize("bf16", [False, True])
def test_resume_is_bit_identical(tiny: TrainConfig, plate: Source, tmp_path: Path, bf16: bool) -> None:
    config = replace(everything(tiny), bf16=bf16)
    start(config, plate, tmp_path / "whole", 0.072)
    start(config, plate, tmp_path / "parts", 0.040)
    outcome = resume(tmp_path / "parts", 0.072)
    assert (outcome.reason, outcome.kimg) == ("kimg", pytest.approx(0.072))
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    different = [name for name in whole if not torch.equal(whole[name], parts[name])]
    assert different == []
    assert whole["augment_p"] > 0


def test_seeds_differ(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    start(tiny, plate, tmp_path / "a", 0.016)
    start(replace(tiny, seed=4), plate, tmp_path / "b", 0.016)
    a, b = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert not torch.equal(a["discriminator.dense.weight"], b["discriminator.dense.weight"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_save_and_return(tiny: TrainConfig, plate: Source, tmp_path: Path, number: signal.Signals) -> None:
    config, _ = loop.prepare_run(tiny, plate, tmp_path / "run")
    before = signal.getsignal(number)
    outcome = loop.run(config, tmp_path / "run", lambda _: os.kill(os.getpid(), number))
    assert outcome.reason == "interrupted"
    assert ckpt.load(outcome.checkpoint).step == loop.REPORT_STEPS
    assert signal.getsignal(number) is before


def test_a_second_signal_does_not_spoil_what_is_being_saved(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, _ = loop.prepare_run(tiny, plate, tmp_path / "run")
    save = ckpt.save

    def impatient(*given: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        save(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(ckpt, "save", impatient)
    outcome = loop.run(config, tmp_path / "run", lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert outcome.reason == "interrupted"
    assert ckpt.load(outcome.checkpoint).step == loop.REPORT_STEPS


def test_a_signal_while_packing_leaves_nothing(plate: Source, tmp_path: Path) -> None:
    """A real process, which gets the signal while it reads a field."""
    script = """
import os, signal
from gandl.main import run
from gandl_training.data import dataset
read = dataset.read_site
def interrupted(files):
    os.kill(os.getpid(), signal.SIGTERM)
    return read(files)
dataset.read_site = interrupted
run()
"""
    given = ["train", str(plate.images), "--platemap", str(plate.platemap), "--out", str(tmp_path / "run")]
    command = [sys.executable, "-c", script, *given, "--resolution", "16", "--kimg", "0.004"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert (
        done.stderr == "gandl: stopped while packing the fields; nothing is left of them: give the same command again\n"
    )
    assert not (tmp_path / "run").exists()


def test_nan_is_told_before_the_quality_is_measured(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores_are_nan(monkeypatch)
    with pytest.raises(TrainingFailed, match=r"not finite at .*; there is no checkpoint yet; lower"):
        start(replace(tiny, quality_kimg=0.016), plate, tmp_path / "run", 1.0)


def test_nan_stops_and_keeps_the_last_good_checkpoint(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tiny, plate, tmp_path / "run", 0.008)
    kept = (tmp_path / "run" / ckpt.CHECKPOINT).read_bytes()
    scores_are_nan(monkeypatch)
    with pytest.raises(TrainingFailed, match=r"not finite at .*; the last good checkpoint is"):
        resume(tmp_path / "run", 1.0)
    assert (tmp_path / "run" / ckpt.CHECKPOINT).read_bytes() == kept


def test_weights_that_are_not_finite_are_never_saved(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The losses of the step are still good: they were measured before its update."""
    start(tiny, plate, tmp_path / "run", 0.008)
    kept = (tmp_path / "run" / ckpt.CHECKPOINT).read_bytes()
    update = Trainer._update

    def spoilt(self: Trainer, net: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
        if net is self.generator:
            next(p.grad for p in net.parameters() if p.grad is not None).fill_(float("nan"))
        update(self, net, optimiser)

    monkeypatch.setattr(Trainer, "_update", spoilt)
    told = r"tensors, such as generator\..*, hold NaN or infinity at 0\.0 kimg; the last good checkpoint is .*lower"
    with pytest.raises(TrainingFailed, match=told):
        resume(tmp_path / "run", 0.016)
    assert (tmp_path / "run" / ckpt.CHECKPOINT).read_bytes() == kept


@pytest.mark.skipif(not CAN_MOUNT, reason="no right to mount a file system of its own")
def test_a_checkpoint_on_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    script = """
import torch
from pathlib import Path
from gandl_training.run import checkpoint as ckpt
from gandl_training.config import TrainConfig
path = Path("checkpoint.pt")
ckpt.save(ckpt.Checkpoint(TrainConfig(), 1, {"small": torch.zeros(9)}), path)
ckpt.save(ckpt.Checkpoint(TrainConfig(), 2, {"large": torch.zeros(90_000)}), path)
"""
    mounted = 'mount -t tmpfs -o size=200k none small && cd small && "$@"; echo rc $?; ls -A'
    command = [*MOUNTING, "sh", "-c", mounted, "sh", sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "rc 1\ncheckpoint.pt\n"
    told = "cannot write checkpoint.pt: No space left on device; the last good checkpoint is checkpoint.pt"
    assert told in done.stderr


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tiny, plate, tmp_path / "run", 0.008)
    path = tmp_path / "run" / ckpt.CHECKPOINT
    kept = path.read_bytes()

    def full(content: object, file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingFailed, match=r"No space left.*last good checkpoint is .*checkpoint\.pt"):
        resume(tmp_path / "run", 0.016)
    assert path.read_bytes() == kept
    assert not list((tmp_path / "run").glob("*.tmp"))


def test_a_full_disk_is_told_and_the_checkpoint_kept(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tiny, plate, tmp_path / "run", 0.008)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.Journal, "write", full)
    with pytest.raises(TrainingFailed, match=r"cannot write to .*: No space left on device; the last good checkpoint"):
        resume(tmp_path / "run", 1.0)
    assert ckpt.load(tmp_path / "run" / ckpt.CHECKPOINT).step == 1


def test_watching_a_run_is_logged_and_trains_nothing(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    start(tiny, plate, tmp_path / "unwatched", 0.072)
    start(replace(tiny, quality_kimg=0.064, sample_kimg=0.064), plate, tmp_path / "watched", 0.072)
    entries = [json.loads(line) for line in (tmp_path / "watched" / journal.LOG).read_text().splitlines()]
    looks = [e for e in entries if "quality/frechet" in e]
    assert [e["kimg"] for e in looks] == [0.064]
    measured = {"quality/frechet", "quality/kernel", "quality/score_training"}
    assert looks[0].keys() == {"kimg", "probe/accuracy_U2OS", "probe/z_prime_U2OS"} | measured
    unwatched, watched = weights(tmp_path / "unwatched"), weights(tmp_path / "watched")
    assert [name for name in unwatched if not torch.equal(unwatched[name], watched[name])] == []


@pytest.mark.parametrize(
    ("minutes", "kimg", "seconds"),
    [
        (None, None, None),
        (2.0, None, 90.0),  # of 120 s, 30 are over
        (None, 10.0, 160.0),  # 8000 images at 50 a second
        (2.0, 10.0, 90.0),
        (10.0, 10.0, 160.0),
        (0.25, None, 0.0),  # over, and 15 s late
    ],
)
def test_what_remains_is_the_sooner_of_both_ends(
    tiny: TrainConfig, minutes: float | None, kimg: float | None, seconds: float | None
) -> None:
    config = replace(tiny, minutes=minutes, kimg=kimg)
    assert loop.remaining(config, kimg=2.0, elapsed=30.0, images_per_second=50.0) == seconds


def test_nothing_is_foretold_without_speed(tiny: TrainConfig) -> None:
    assert loop.remaining(replace(tiny, kimg=10.0), kimg=0.0, elapsed=1.0, images_per_second=0.0) is None


def test_files_of_a_run(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    seen: list[loop.Progress] = []
    config, _ = loop.prepare_run(replace(tiny, snapshot_kimg=0.064, sample_kimg=0.064), plate, tmp_path / "run")
    loop.run(replace(config, kimg=0.136), tmp_path / "run", seen.append)
    entries = [json.loads(line) for line in (tmp_path / "run" / journal.LOG).read_text().splitlines()]
    assert [e["kimg"] for e in entries] == [0.128, 0.136]
    assert {"d", "g", "real", "fake", "r1", "images_per_second"} <= entries[0].keys()
    assert [p.kimg for p in seen] == [0.128, 0.136]
    assert [p.remaining for p in seen] == [pytest.approx(8 / seen[0].images_per_second), 0.0]
    assert len(list((tmp_path / "run" / "events").glob("events.*"))) == 1
    assert len(list((tmp_path / "run" / "samples").glob("*.png"))) == 3
    assert len(list((tmp_path / "run" / "snapshots").glob("*.pt"))) == 2


def test_a_mark_is_passed_once(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    config, _ = loop.prepare_run(replace(tiny, batch=2, snapshot_kimg=0.006), plate, tmp_path / "run")
    loop.run(replace(config, kimg=0.03), tmp_path / "run")
    names = sorted(p.stem for p in (tmp_path / "run" / "snapshots").iterdir())
    assert names == [f"kimg-{kimg:09.3f}" for kimg in (0.006, 0.012, 0.018, 0.024, 0.030)]


def test_data_of_another_run_is_refused(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    out = tmp_path / "run"
    start(tiny, plate, out, 0.008)
    (tmp_path / "three").mkdir()
    three = make_plate(tmp_path / "three")
    for path in three.images.rglob("*_w1.tif"):
        shutil.copy(path, path.with_name(path.name.replace("_w1", "_w3")))
    pack(three, out / "data", size=16)
    before = (out / ckpt.CHECKPOINT).read_bytes()
    told = r"run/data holds fields of 3 channels of 40×40, the checkpoint's network takes 2 channels of 16×16"
    with pytest.raises(BadInput, match=told):
        resume(out, 0.016)
    assert (out / ckpt.CHECKPOINT).read_bytes() == before


def test_what_cannot_be_resumed(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    out = tmp_path / "run"
    start(tiny, plate, out, 0.008)
    with pytest.raises(BadInput, match="already holds a run; give --resume"):
        loop.prepare_run(tiny, plate, out)
    with pytest.raises(BadInput, match="another batch: 8 instead of 4"):
        loop.run(replace(ckpt.load(out / ckpt.CHECKPOINT).config, batch=4, kimg=1), out)
    with pytest.raises(NotFound, match="give the folder"):
        ckpt.load(tmp_path / "checkpoint.pt")
    (tmp_path / "broken.pt").write_bytes((out / ckpt.CHECKPOINT).read_bytes()[:1000])
    with pytest.raises(BadInput, match="not a gandl checkpoint or is damaged"):
        ckpt.load(tmp_path / "broken.pt")
