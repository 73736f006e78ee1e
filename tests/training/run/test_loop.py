"""The loop: its reports, its files, the time that remains, and losses that are not finite."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gandl_shared.errors import TrainingFailed
from gandl_training.config import TrainConfig
from gandl_training.data.source import Source
from gandl_training.networks.stylegan2 import Discriminator
from gandl_training.run import checkpoint as ckpt
from gandl_training.run import estimate, metric_log
from gandl_training.run.loop import Callbacks, Progress, remaining_seconds

from tests.training.small_run import flat_state, resume_to, train_to


def test_files_of_a_run(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    reports: list[Progress] = []
    config = replace(tiny, snapshot_kimg=0.064, sample_kimg=0.064)
    train_to(config, plate, tmp_path / "run", 0.136, Callbacks(on_progress=reports.append))
    entries = [json.loads(line) for line in (tmp_path / "run" / metric_log.LOG).read_text().splitlines()]
    assert [e["kimg"] for e in entries] == [0.0, 0.128, 0.136]
    # The baselines come first, so that a run can be judged from its first probe on.
    assert {f"baseline/accuracy_U2OS_{name}" for name in ("intensity", "pca", "untrained")} <= entries[0].keys()
    assert {"d", "g", "real", "fake", "r1", "images_per_second"} <= entries[1].keys()
    assert [p.kimg for p in reports] == [0.128, 0.136]
    assert [p.remaining for p in reports] == [pytest.approx(8 / reports[0].images_per_second), 0.0]
    assert len(list((tmp_path / "run" / "events").glob("events.*"))) == 1
    assert len(list((tmp_path / "run" / "samples").glob("*.png"))) == 3
    assert len(list((tmp_path / "run" / "snapshots").glob("*.pt"))) == 2


def test_an_evaluation_is_logged_and_trains_nothing(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    train_to(tiny, plate, tmp_path / "plain", 0.072)
    train_to(replace(tiny, quality_kimg=0.064, sample_kimg=0.064), plate, tmp_path / "evaluated", 0.072)
    entries = [json.loads(line) for line in (tmp_path / "evaluated" / metric_log.LOG).read_text().splitlines()]
    evaluations = [e for e in entries if "quality/frechet" in e]
    assert [e["kimg"] for e in evaluations] == [0.064]
    measured = {"quality/frechet", "quality/kernel", "quality/score_training"}
    assert evaluations[0].keys() == {"kimg", "probe/accuracy_U2OS", "probe/z_prime_U2OS"} | measured
    plain, evaluated = flat_state(tmp_path / "plain"), flat_state(tmp_path / "evaluated")
    assert [name for name in plain if not torch.equal(plain[name], evaluated[name])] == []


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
    assert remaining_seconds(config, kimg=2.0, elapsed=30.0, images_per_second=50.0) == seconds


def test_no_time_is_predicted_without_a_speed(tiny: TrainConfig) -> None:
    assert remaining_seconds(replace(tiny, kimg=10.0), kimg=0.0, elapsed=1.0, images_per_second=0.0) is None


def scores_are_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Discriminator.forward
    monkeypatch.setattr(Discriminator, "forward", lambda self, x: forward(self, x) * float("nan"))


def test_nan_is_reported_before_the_networks_are_evaluated(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores_are_nan(monkeypatch)
    with pytest.raises(TrainingFailed, match=r"not finite at .*; there is no checkpoint yet; lower"):
        train_to(replace(tiny, quality_kimg=0.016), plate, tmp_path / "run", 1.0)


def test_nan_stops_and_keeps_the_last_good_checkpoint(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_to(tiny, plate, tmp_path / "run", 0.008)
    before = (tmp_path / "run" / ckpt.CHECKPOINT).read_bytes()
    scores_are_nan(monkeypatch)
    with pytest.raises(TrainingFailed, match=r"not finite at .*; the last good checkpoint is"):
        resume_to(plate, tmp_path / "run", 1.0)
    assert (tmp_path / "run" / ckpt.CHECKPOINT).read_bytes() == before


def test_a_full_disk_is_reported_and_the_checkpoint_stays(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_to(tiny, plate, tmp_path / "run", 0.008)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(metric_log.MetricLog, "write", full)
    with pytest.raises(TrainingFailed, match=r"cannot write to .*: No space left on device; the last good checkpoint"):
        resume_to(plate, tmp_path / "run", 1.0)
    assert ckpt.load(tmp_path / "run" / ckpt.CHECKPOINT).step == 1


def test_a_run_with_too_few_controls_says_that_it_has_no_probe(
    tiny: TrainConfig, plate: Source, tmp_path: Path
) -> None:
    plate.platemap.write_text(plate.platemap.read_text().replace("positive_control,,", "treatment,Drug,1"))
    messages: list[str] = []
    train_to(tiny, plate, tmp_path / "run", 0.008, Callbacks(on_message=messages.append))
    message, warning = messages
    assert "the data are few" in warning
    assert message.startswith("there is no control probe for cell line U2OS: it needs two wells of each control")


def test_the_length_of_a_run_is_estimated_once(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "MIN_STEPS", 2)
    monkeypatch.setattr(estimate, "MIN_SECONDS", 0.0)
    messages: list[str] = []
    train_to(tiny, plate, tmp_path / "run", 0.064, Callbacks(on_message=messages.append))
    (text,) = (message for message in messages if "images/s in the first seconds" in message)
    assert "the 0.04 kimg of this run take about" in text
