"""What a card says: channels, origin, and the control metrics, which are those of the analysis of the same plate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl.commands.screen import screen
from gandl_shared.errors import BadInput
from gandl_training.config import TrainConfig
from gandl_training.data.source import Source
from gandl_training.evaluation.probe import ProbeResult
from gandl_training.export import card
from gandl_training.export.card import Provenance, card_channels, control_metrics, training_record
from gandl_training.export.onnx_export import ExportForm, export_featurizer
from gandl_training.export.weights import Weights
from gandl_training.run import checkpoint as ckpt
from gandl_training.run import run_folder
from numpy.typing import NDArray
from typer import Typer
from typer.testing import CliRunner

from tests.training.small_run import make_plate, packed, train_to

PROVENANCE = Provenance(name="m", data="plate 7", licence="CC0", stains=("GFP", "DNA"))


def test_channels_have_stains_and_the_limits_of_the_plates(plate: Source, tmp_path: Path) -> None:
    index = packed(replace(plate, channel_names=("green", "blue")), tmp_path / "data").index
    channels = card_channels(index, PROVENANCE)
    assert [(c.name, c.stain, c.low, c.high) for c in channels] == list(
        zip(("green", "blue"), ("GFP", "DNA"), index.low, index.high, strict=True)
    )
    assert [c.stain for c in card_channels(index, replace(PROVENANCE, stains=None))] == [None, None]
    with pytest.raises(BadInput, match="1 stains for 2 channels: DNA"):
        card_channels(index, replace(PROVENANCE, stains=("DNA",)))


def test_a_pixel_size_is_a_length() -> None:
    with pytest.raises(BadInput, match="pixel size -3 µm is not a length"):
        replace(PROVENANCE, pixel_size_um=-3)


def test_the_origin_is_what_the_run_recorded(tiny: TrainConfig, tmp_path: Path) -> None:
    run_folder.record_command(tmp_path, "gandl train plate")
    (tmp_path / "commit.txt").write_text("1234567\n")
    weights = Weights(checkpoint=ckpt.Checkpoint(config=tiny, step=125, state={}))
    record = training_record(tmp_path, weights, PROVENANCE)
    assert (record.kimg, record.seed, record.command, record.commit) == (1.0, 3, "gandl train plate", "1234567")
    assert training_record(tmp_path, weights, replace(PROVENANCE, commit="89abcde")).commit == "89abcde"


def test_control_metrics_have_a_name_per_cell_line(plate: Source, tmp_path: Path) -> None:
    def brightness(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        return tiles.mean((2, 3), dtype=np.float32)

    metrics = control_metrics(packed(plate, tmp_path / "data"), brightness, 16)
    assert list(metrics) == ["control_accuracy_U2OS", "control_z_prime_U2OS"]
    assert metrics["control_accuracy_U2OS"] == 1.0


def test_a_z_prime_that_does_not_exist_is_left_out(
    plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "probe", lambda *_: ProbeResult(accuracy=0.33333, z_prime=None))
    metrics = control_metrics(packed(plate, tmp_path / "data"), lambda tiles: tiles.mean((2, 3)), 16)
    assert metrics == {"control_accuracy_U2OS": 0.3333}


def test_the_card_has_the_quality_of_a_screen_of_the_same_plate(tiny: TrainConfig, tmp_path: Path) -> None:
    """From the image files on: trained, exported, and screened by the exported model."""
    plate = make_plate(tmp_path, rows="ABCD", treatments=2)
    run, model, out = tmp_path / "run", tmp_path / "m.onnx", tmp_path / "screen"
    train_to(tiny, plate, run, 0.016)
    weights = Weights(checkpoint=ckpt.load(run / ckpt.CHECKPOINT))
    metrics = export_featurizer(run, weights, ExportForm(), PROVENANCE, model).metrics
    app = Typer()
    app.command()(screen)
    command = [plate.images, "--platemap", plate.platemap, "--model", model, "--out", out]
    CliRunner().invoke(app, list(map(str, command)), catch_exceptions=False)
    quality = json.loads((out / "quality.json").read_text())["cell_lines"]["U2OS"]
    assert metrics["control_z_prime_U2OS"] == pytest.approx(quality["z_prime"], abs=1e-4)
    assert metrics["control_accuracy_U2OS"] == pytest.approx(quality["accuracy"], abs=1e-4)
