"""`gandl train` as a user types it."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
import typer
from gandl.commands.training.train import _progress_bar, _show, train
from gandl_shared.errors import BadInput
from gandl_training.data.source import Source
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.loop import Progress, TrainingLoop
from rich.console import Console
from typer.testing import CliRunner

from tests.training.small_run import gandl, make_cells, make_plate


@pytest.fixture
def plate(tmp_path: Path) -> Source:
    """The small plate of the training tests."""
    torch.set_num_threads(1)
    return make_plate(tmp_path)


def test_terms_of_the_loss_reach_the_run(plate: Source, tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = ("train", str(plate.images), "--platemap", str(plate.platemap), "--out", str(run), "--threads", "1")
    terms = ("--loss", "wasserstein", "--r1-gamma", "3", "--path-length", "2", "--lipschitz", "10")
    gandl(*arguments, "--resolution", "16", "--batch", "4", "--kimg", "0.004", *terms, "--lipschitz-power", "2")
    loss = ckpt.load(run / ckpt.CHECKPOINT).config.loss
    assert (loss.gan, loss.r1_gamma, loss.path_length_weight) == ("wasserstein", 3.0, 2.0)
    assert (loss.lipschitz_weight, loss.lipschitz_power) == (10.0, 2)
    with pytest.raises(BadInput, match="settings of the run; --lipschitz-power cannot be changed"):
        gandl(*arguments, "--resume", "--lipschitz-power", "2")


@pytest.mark.parametrize(
    ("remaining", "left", "total"), [(90.0, ", 1.5 min left", 120.0), (0.0, ", 0.0 min left", 30.0), (None, "", None)]
)
def test_the_progress_of_a_run_is_one_line(remaining: float | None, left: str, total: float | None) -> None:
    bar = _progress_bar(visible=True)
    task = bar.add_task("training", total=None, text="")
    progress = Progress(
        kimg=1.26,
        images_per_second=51.04,
        data_wait=0.01,
        elapsed=30.0,
        remaining=remaining,
        losses={"d": 1.23456, "g": -0.5},
    )
    _show(bar, task, progress)
    console = Console(width=120)
    with console.capture() as capture:
        console.print(bar.get_renderable())
    assert f"1.3 kimg, 51.0 images/s{left}; d 1.235 g -0.500" in capture.get()
    assert (bar.tasks[0].completed, bar.tasks[0].total) == (30.0, total)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resolution", "48"), "48 is not a power of two"),
        (("--preset", "gpu"), "unknown preset 'gpu'"),
        (("--loss", "hinge"), "unknown loss 'hinge'"),
        (("--lipschitz", "10", "--lipschitz-power", "3"), "power 3 of the Lipschitz penalty is unknown; use 1 or 2"),
        (("--lipschitz-power", "2"), "give the weight of the penalty by --lipschitz"),
        (("--loss", "none"), "the loss 'none' needs the contrast term; give a weight such as --contrast 1"),
        (("--loss", "none", "--contrast", "1", "--r1-gamma", "2"), "--r1-gamma: no effect with --loss none"),
        (("--contrast", "-1"), "contrast_weight -1.0 is not a valid weight of a loss"),
        (("--batch", "1"), "batch 1 is too small"),
        (("--holdout", "1.5"), "holdout 1.5 is not a share"),
        (("--seed", "-1"), "seed -1 is not a whole number from 0"),
        (("--learning-rate", "-1"), "learning rate -1 trains nothing; give a number above 0"),
        (("--learning-rate", "nan"), "learning rate nan trains nothing"),
        (("--r1-gamma", "-1"), "r1_gamma -1.0 is not a valid weight of a loss; give 0"),
        (("--lipschitz", "inf"), "lipschitz_weight inf is not a valid weight"),
        (("--kimg", "nan"), "kimg nan and minutes None must be numbers from 0"),
    ],
)
def test_bad_options(plate: Source, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        gandl("train", str(plate.images), "--platemap", str(plate.platemap), "--out", str(tmp_path / "run"), *options)
    assert not (tmp_path / "run").exists()


def test_a_run_that_was_stopped_goes_on_to_its_own_end(
    plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("train", "--out", str(tmp_path / "run"), "--threads", "1")
    images = (str(plate.images), "--platemap", str(plate.platemap), "--resolution", "16", "--batch", "4")
    with monkeypatch.context() as patch:
        # A signal after the first step.
        patch.setattr(TrainingLoop, "_estimate_length", lambda _: os.kill(os.getpid(), signal.SIGTERM))
        output = gandl(*run, *images, "--kimg", "0.012")
    assert "interrupted: 0.0 kimg" in output
    assert f"go on with: gandl train --out {tmp_path / 'run'} --resume" in output
    assert ckpt.load(tmp_path / "run" / ckpt.CHECKPOINT).step == 1
    gandl(*run, "--resume")
    assert ckpt.load(tmp_path / "run" / ckpt.CHECKPOINT).step == 3
    gandl(*run, "--resume", "--kimg", "0.016")
    assert ckpt.load(tmp_path / "run" / ckpt.CHECKPOINT).step == 4


def test_threads_are_counted_from_one(plate: Source, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command("train")(train)
    arguments = [
        str(plate.images),
        "--platemap",
        str(plate.platemap),
        "--out",
        str(tmp_path / "run"),
        "--threads",
        "-2",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "greater than or equal to 1" in result.output


def test_single_cells_are_packed_here_and_trained_on_elsewhere(tmp_path: Path) -> None:
    cells, packed = make_cells(tmp_path), tmp_path / "packed"
    images = ("train", str(cells.images), "--single-cells", "--channel-names", "GFP,DNA", "--resolution", "16")
    output = gandl(*images, "--batch", "4", "--pack-only", "--out", str(packed))
    assert "12 images of single cells of 16×16 pixels, 2 channels (GFP, DNA); train on them with: gandl tr" in output
    shutil.rmtree(cells.images)
    assert "kimg: 0.0 kimg" in gandl("train", "--out", str(packed), "--resume", "--kimg", "0.004", "--threads", "1")
    further = ("train", str(packed), "--out", str(tmp_path / "b"), "--resolution", "16", "--batch", "8")
    assert "control probe" not in gandl(*further, "--kimg", "0.008", "--threads", "1")
    with pytest.raises(BadInput, match="--single-cells cannot be changed"):
        gandl("train", "--out", str(packed), "--resume", "--single-cells")
    with pytest.raises(BadInput, match="give one of them"):
        gandl(*images, "--out", str(packed), "--resume", "--pack-only")
    with pytest.raises(BadInput, match="a new run needs images"):
        gandl("train", "--out", str(tmp_path / "c"))
