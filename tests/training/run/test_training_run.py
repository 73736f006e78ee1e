"""Runs that survive: bit-identical resumption, signals, and data or configurations of another run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gandl_shared.errors import BadInput, NotFound
from gandl_training.config import TrainConfig
from gandl_training.data.packing import pack
from gandl_training.data.source import Source
from gandl_training.run import checkpoint as ckpt
from gandl_training.run import training_run
from gandl_training.run.loop import REPORT_STEPS, Callbacks

from tests.training.small_run import flat_state, make_cells, make_plate, resume_to, train_to, with_all_terms


@pytest.mark.parametrize("bf16", [False, True])
def test_resume_is_bit_identical(tiny: TrainConfig, plate: Source, tmp_path: Path, bf16: bool) -> None:
    config = replace(with_all_terms(tiny), bf16=bf16)
    train_to(config, plate, tmp_path / "whole", 0.072)
    train_to(config, plate, tmp_path / "parts", 0.040)
    outcome = resume_to(plate, tmp_path / "parts", 0.072)
    assert (outcome.reason, outcome.kimg) == ("kimg", pytest.approx(0.072))
    whole, parts = flat_state(tmp_path / "whole"), flat_state(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    different = [name for name in whole if not torch.equal(whole[name], parts[name])]
    assert different == []
    assert whole["augment_p"] > 0


def test_seeds_differ(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    train_to(tiny, plate, tmp_path / "a", 0.016)
    train_to(replace(tiny, seed=4), plate, tmp_path / "b", 0.016)
    a, b = flat_state(tmp_path / "a"), flat_state(tmp_path / "b")
    assert not torch.equal(a["discriminator.dense.weight"], b["discriminator.dense.weight"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_save_and_return(tiny: TrainConfig, plate: Source, tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    callbacks = Callbacks(on_progress=lambda _: os.kill(os.getpid(), number))
    outcome = training_run.start(tiny, plate, tmp_path / "run", callbacks)
    assert outcome.reason == "interrupted"
    assert ckpt.load(outcome.checkpoint).step == REPORT_STEPS
    assert signal.getsignal(number) is before


def test_a_second_signal_does_not_spoil_what_is_being_saved(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = ckpt.save

    def impatient(*arguments: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        save(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ckpt, "save", impatient)
    callbacks = Callbacks(on_progress=lambda _: os.kill(os.getpid(), signal.SIGINT))
    outcome = training_run.start(tiny, plate, tmp_path / "run", callbacks)
    assert outcome.reason == "interrupted"
    assert ckpt.load(outcome.checkpoint).step == REPORT_STEPS


def test_a_signal_while_packing_leaves_nothing(plate: Source, tmp_path: Path) -> None:
    """A real process, which gets the signal while it reads a field."""
    script = """
import os, signal
from gandl.main import run
from gandl_training.data import packing
read = packing.read_site
def interrupted(*site, **options):
    os.kill(os.getpid(), signal.SIGTERM)
    return read(*site, **options)
packing.read_site = interrupted
run()
"""
    arguments = ["train", str(plate.images), "--platemap", str(plate.platemap), "--out", str(tmp_path / "run")]
    command = [sys.executable, "-c", script, *arguments, "--resolution", "16", "--kimg", "0.004"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    message = "packing the fields was stopped by a signal, and nothing of them was written; give the same command again"
    assert done.stderr == f"gandl: {message}\n"
    assert not (tmp_path / "run").exists()


def test_data_of_another_run_is_refused(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train_to(tiny, plate, out, 0.008)
    (tmp_path / "three").mkdir()
    three = make_plate(tmp_path / "three")
    for path in three.images.rglob("*_w1.tif"):
        shutil.copy(path, path.with_name(path.name.replace("_w1", "_w3")))
    pack(three, out / "data", size=16)
    before = (out / ckpt.CHECKPOINT).read_bytes()
    message = r"run/data holds fields of 3 channels of 40×40, the checkpoint's network needs 2 channels of 16×16"
    with pytest.raises(BadInput, match=message):
        resume_to(plate, out, 0.016)
    assert (out / ckpt.CHECKPOINT).read_bytes() == before


def test_a_run_is_not_resumed_with_another_configuration(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train_to(tiny, plate, out, 0.008)
    with pytest.raises(BadInput, match="already holds a run; give --resume"):
        training_run.start(tiny, plate, out)
    with pytest.raises(BadInput, match="another batch: 8 instead of 4"):
        training_run.resume(replace(ckpt.load(out / ckpt.CHECKPOINT).config, batch=4, kimg=1), plate, out)


def test_a_run_that_was_packed_only_trains_without_its_images(tiny: TrainConfig, tmp_path: Path) -> None:
    cells = make_cells(tmp_path)
    messages: list[str] = []
    train_to(tiny, cells, tmp_path / "whole", 0.016, Callbacks(on_message=messages.append))
    assert not any("probe" in message for message in messages)
    store = training_run.pack_run(tiny, cells, tmp_path / "packed", command="gandl train --pack-only")
    assert store.fields.shape == (12, 2, 16, 16)
    assert not (tmp_path / "packed" / "checkpoint.pt").exists()
    moved = (tmp_path / "packed").rename(tmp_path / "elsewhere")
    shutil.rmtree(cells.images)
    config = training_run.config_to_resume(moved)
    assert config == tiny
    training_run.resume(replace(config, kimg=0.016), None, moved)
    whole, packed_only = flat_state(tmp_path / "whole"), flat_state(moved)
    assert all(torch.equal(whole[name], packed_only[name]) for name in whole)
    assert training_run.config_to_resume(moved).kimg == 0.016
    with pytest.raises(NotFound, match=r"checkpoint .*nowhere.* does not exist"):
        training_run.config_to_resume(tmp_path / "nowhere")


@pytest.mark.parametrize(("capability", "expected"), [("AVX2", False), ("AVX512", True), ("SVE256", True)])
def test_bfloat16_is_not_emulated(
    capability: str, expected: bool, tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert training_run.has_bfloat16(torch.device("cpu")) is expected
    assert training_run.has_bfloat16(torch.device("cuda"))
    messages: list[str] = []
    train_to(replace(tiny, bf16=True), plate, tmp_path / "run", 0.008, Callbacks(on_message=messages.append))
    assert any("computes in float32" in message for message in messages) is not expected
    assert training_run.config_to_resume(tmp_path / "run").bf16 is expected
