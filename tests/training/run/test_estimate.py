"""The first estimate of the length of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gandl_training.config import TrainConfig
from gandl_training.run.estimate import SpeedEstimate, duration_text, estimate_text


def test_the_speed_leaves_out_the_first_step(tiny: TrainConfig) -> None:
    estimate = SpeedEstimate(replace(tiny, batch=16, kimg=60.0))
    assert not estimate.is_due(0.0, 0)
    assert estimate.is_due(30.0, 1)
    assert estimate.note(30.0, 1, 0.016) is None  # 30 seconds for the first step alone
    assert not estimate.is_due(40.1, 32)
    assert not estimate.is_due(39.9, 33)  # on a GPU, graphs are recorded in the first second
    assert estimate.is_due(40.1, 33)
    text = estimate.note(40.24, 33, 0.528)
    assert text == "50 images/s in the first seconds: the 59.5 kimg of this run take about 20 minutes"
    assert not estimate.is_due(50.0, 100)


def test_a_slow_run_is_estimated_by_two_steps(tiny: TrainConfig) -> None:
    estimate = SpeedEstimate(replace(tiny, batch=16))
    estimate.note(0.0, 1, 0.016)
    assert not estimate.is_due(25.0, 2)
    assert estimate.is_due(50.0, 3)
    text = estimate.note(50.0, 3, 0.048)
    assert text == "0.64 images/s in the first seconds: 60 kimg take about 26 hours"


def test_minutes_tell_how_far_the_run_gets(tiny: TrainConfig) -> None:
    text = estimate_text(replace(tiny, minutes=10.0), 20.0, 5000.0)
    assert text == (
        "5e+03 images/s in the first seconds: 60 kimg take about 12 seconds, and --minutes 10 ends the run at about "
        "3.02e+03 kimg at the latest"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "3 seconds"),
        (75, "75 seconds"),
        (150, "2.5 minutes"),
        (5400, "90 minutes"),
        (9000, "2.5 hours"),
        (3e5, "3.5 days"),
    ],
)
def test_durations_are_words(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
