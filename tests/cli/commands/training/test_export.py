"""`gandl export` as a user types it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from gandl_shared.errors import BadInput
from gandl_training.data.source import Source
from gandl_training.run import commit

from tests.training.small_run import gandl, make_plate


@pytest.fixture
def plate(tmp_path: Path) -> Source:
    """The small plate of the training tests."""
    torch.set_num_threads(1)
    return make_plate(tmp_path)


def test_train_resume_export(plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gandl", "train", "here"])
    monkeypatch.setattr(commit, "checkout_commit", lambda: "1234567")
    run = str(tmp_path / "run")
    arguments = ("train", str(plate.images), "--platemap", str(plate.platemap), "--out", run, "--threads", "1")
    assert "kimg: 0.0 kimg" in gandl(*arguments, "--resolution", "16", "--batch", "4", "--kimg", "0.004", "--augment")
    with pytest.raises(BadInput, match="already holds a run"):
        gandl(*arguments)
    assert "kimg: 0.0 kimg" in gandl(*arguments, "--resume", "--kimg", "0.008")
    model = tmp_path / "m.onnx"
    output = gandl("export", run, "--out", str(model), "--stains", "GFP,DNA", "--data", "plate", "--licence", "CC0")
    assert "512 features of fc" in output
    training = json.loads(model.with_suffix(".card.json").read_text())["training"]
    assert training["command"].splitlines() == ["gandl train here"] * 2  # the run and its resumption
    assert training["commit"] == "1234567"


def test_an_export_that_cannot_be_written_whole_writes_nothing(plate: Source, tmp_path: Path) -> None:
    run, model = str(tmp_path / "run"), tmp_path / "m.onnx"
    arguments = ("--platemap", str(plate.platemap), "--threads", "1", "--resolution", "16", "--batch", "4")
    gandl("train", str(plate.images), "--out", run, *arguments, "--kimg", "0.004")
    with pytest.raises(BadInput, match=r"cannot write .*none/g\.onnx: folder .*none does not exist"):
        gandl("export", run, "--out", str(model), "--generator", str(tmp_path / "none" / "g.onnx"))
    with pytest.raises(BadInput, match=r"cannot write .*images: it is a folder; give the name of a file"):
        gandl("export", run, "--out", str(model), "--generator", str(plate.images))
    with pytest.raises(BadInput, match=r"pixel size -3 µm is not a length; give one above 0"):
        gandl("export", run, "--out", str(model), "--pixel-size-um", "-3")
    assert list(tmp_path.glob("m.*")) == []


def test_a_layer_or_precision_that_does_not_exist_is_refused(plate: Source, tmp_path: Path) -> None:
    run, model = str(tmp_path / "run"), str(tmp_path / "m.onnx")
    arguments = ("--platemap", str(plate.platemap), "--threads", "1", "--resolution", "16", "--batch", "4")
    gandl("train", str(plate.images), "--out", run, *arguments, "--kimg", "0.004")
    with pytest.raises(BadInput, match="unknown tap 'last'; use one of fc, pool, multi, fine, fc-multi, all"):
        gandl("export", run, "--out", model, "--tap", "last")
    with pytest.raises(BadInput, match="unknown precision 'int4'"):
        gandl("export", run, "--out", model, "--precision", "int4")
