"""`gandl train` and `gandl export` as a user types them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer
from gandl.commands.export import export
from gandl.commands.train import _bar, _show, train
from gandl_shared.errors import BadInput
from gandl_training.data.dataset import Source
from gandl_training.run import checkpoint as ckpt
from gandl_training.run import commit
from gandl_training.run.loop import Progress
from rich.console import Console
from typer.testing import CliRunner


def call(*arguments: str) -> str:
    app = typer.Typer()
    app.command("train")(train)
    app.command("export")(export)
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None:
        raise result.exception
    return result.output


def test_train_resume_export(plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gandl", "train", "here"])
    monkeypatch.setattr(commit, "checkout_commit", lambda: "1234567")
    run = str(tmp_path / "run")
    given = ("train", str(plate.images), "--platemap", str(plate.platemap), "--out", run, "--threads", "1")
    assert "kimg: 0.0 kimg" in call(*given, "--resolution", "16", "--batch", "4", "--kimg", "0.004", "--augment")
    with pytest.raises(BadInput, match="already holds a run"):
        call(*given)
    assert "kimg: 0.0 kimg" in call(*given, "--resume", "--kimg", "0.008")
    model = tmp_path / "m.onnx"
    said = call("export", run, "--out", str(model), "--stains", "GFP,DNA", "--data", "plate", "--licence", "CC0")
    assert "512 features of fc" in said
    training = json.loads(model.with_suffix(".card.json").read_text())["training"]
    assert training["command"].splitlines() == ["gandl train here"] * 2  # the run and its resumption
    assert training["commit"] == "1234567"


def test_terms_of_the_loss_reach_the_run(plate: Source, tmp_path: Path) -> None:
    run = tmp_path / "run"
    given = ("train", str(plate.images), "--platemap", str(plate.platemap), "--out", str(run), "--threads", "1")
    terms = ("--loss", "wasserstein", "--r1-gamma", "3", "--path-length", "2", "--lipschitz", "10")
    call(*given, "--resolution", "16", "--batch", "4", "--kimg", "0.004", *terms, "--lipschitz-power", "2")
    loss = ckpt.load(run / ckpt.CHECKPOINT).config.loss
    assert (loss.gan, loss.r1_gamma, loss.path_length_weight) == ("wasserstein", 3.0, 2.0)
    assert (loss.lipschitz_weight, loss.lipschitz_power) == (10.0, 2)
    with pytest.raises(BadInput, match="own settings; --lipschitz-power cannot be changed"):
        call(*given, "--resume", "--lipschitz-power", "2")


@pytest.mark.parametrize(
    ("remaining", "left", "total"), [(90.0, ", 1.5 min left", 120.0), (0.0, ", 0.0 min left", 30.0), (None, "", None)]
)
def test_what_is_shown_along_a_run(remaining: float | None, left: str, total: float | None) -> None:
    bar = _bar(shown=True)
    task = bar.add_task("training", total=None, text="")
    _show(bar, task, Progress(1.26, 51.04, 0.01, 30.0, remaining, {"d": 1.23456, "g": -0.5}))
    console = Console(width=120)
    with console.capture() as shown:
        console.print(bar.get_renderable())
    assert f"1.3 kimg, 51.0 images/s{left}; d 1.235 g -0.500" in shown.get()
    assert (bar.tasks[0].completed, bar.tasks[0].total) == (30.0, total)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resolution", "48"), "48 is not a power of two"),
        (("--preset", "gpu"), "unknown preset 'gpu'"),
        (("--loss", "hinge"), "unknown loss 'hinge'"),
        (("--lipschitz", "10", "--lipschitz-power", "3"), "power 3 of the Lipschitz penalty is unknown; use 1 or 2"),
        (("--lipschitz-power", "2"), "give the weight of the penalty by --lipschitz"),
        (("--batch", "1"), "batch 1 is too small"),
        (("--holdout", "1.5"), "holdout 1.5 is not a share"),
        (("--seed", "-1"), "seed -1 is not a whole number from 0"),
        (("--learning-rate", "-1"), "learning rate -1 trains nothing; give one above 0"),
        (("--learning-rate", "nan"), "learning rate nan trains nothing"),
        (("--r1-gamma", "-1"), "r1_gamma -1.0 is no weight of a loss; give 0"),
        (("--lipschitz", "inf"), "lipschitz_weight inf is no weight of a loss"),
        (("--kimg", "nan"), "the length of a training .* is a number from 0"),
    ],
)
def test_bad_options(plate: Source, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        call("train", str(plate.images), "--platemap", str(plate.platemap), "--out", str(tmp_path / "run"), *options)
    assert not (tmp_path / "run").exists()


def test_threads_are_counted_from_one(plate: Source, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command("train")(train)
    given = [str(plate.images), "--platemap", str(plate.platemap), "--out", str(tmp_path / "run"), "--threads", "-2"]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    assert "greater than or equal to 1" in result.output


def test_an_export_that_cannot_be_written_whole_writes_nothing(plate: Source, tmp_path: Path) -> None:
    run, model = str(tmp_path / "run"), tmp_path / "m.onnx"
    given = ("--platemap", str(plate.platemap), "--threads", "1", "--resolution", "16", "--batch", "4")
    call("train", str(plate.images), "--out", run, *given, "--kimg", "0.004")
    with pytest.raises(BadInput, match=r"cannot write .*none/g\.onnx: folder .*none is not there"):
        call("export", run, "--out", str(model), "--generator", str(tmp_path / "none" / "g.onnx"))
    with pytest.raises(BadInput, match=r"cannot write .*images: it is a folder; give the name of a file"):
        call("export", run, "--out", str(model), "--generator", str(plate.images))
    with pytest.raises(BadInput, match=r"pixel size -3 µm is no length; give one above 0"):
        call("export", run, "--out", str(model), "--pixel-size-um", "-3")
    assert list(tmp_path.glob("m.*")) == []
