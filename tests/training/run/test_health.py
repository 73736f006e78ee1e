"""Warnings of a run: its data, and the game of its two networks."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl_training.config import AugmentConfig, LossConfig, TrainConfig
from gandl_training.data.field_store import FieldStore
from gandl_training.data.source import Source
from gandl_training.run.health import GameJudge, data_warnings

from tests.training.small_run import make_cells, packed

TILES = np.random.default_rng(0).integers(0, 256, (64, 2, 16, 16), np.uint8)


def warnings_of(store: FieldStore, config: TrainConfig, tiles: np.ndarray = TILES) -> list[str]:
    return list(data_warnings(store, config, tiles))


def test_few_data_come_with_a_remedy(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")  # 8 fields of 40×40
    (warning,) = warnings_of(store, tiny)
    assert "the data are few, 50 times the area of a tile of 16 pixels" in warning
    assert "add images, or give --augment" in warning
    (warning,) = warnings_of(store, replace(tiny, augment=AugmentConfig(adaptive=True)))
    assert "--augment" not in warning
    contrast = replace(tiny, loss=LossConfig(gan="none", contrast_weight=1.0))  # which has neither scores nor --augment
    assert warnings_of(store, contrast)[0].endswith("learns so few by heart; add images")
    cells = packed(make_cells(tmp_path), tmp_path / "cells-data")
    assert "12 images of single cells" in warnings_of(cells, tiny)[0]


def test_enough_data_need_no_word(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    many = FieldStore(np.broadcast_to(store.fields[:1], (160, 2, 40, 40)), store.index)
    assert warnings_of(many, tiny) == []


def test_a_constant_channel_is_named(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    store = packed(replace(plate, channel_names=("GFP", "DNA")), tmp_path / "data")
    flat = TILES.copy()
    flat[:, 1] = 7
    warning = warnings_of(store, tiny, flat)[-1]
    assert warning.startswith("warning: channel DNA (number 2) is constant in 100% of the tiles")
    flat[:4, 1] = TILES[:4, 1]  # a channel with rare signal is none
    assert len(warnings_of(store, tiny, flat)) == 1


def warnings_of_game(
    config: TrainConfig, loss: float, distance: float, start: float = 0.0, kimg: float = 10.0
) -> list[str]:
    """Return the warnings of a run that reports the same losses all the time."""
    judge, marks = GameJudge(config, start), np.arange(start, start + kimg, 0.25)
    losses = {"d": loss, "real": distance / 2, "fake": -distance / 2}
    return [text for mark in marks if (text := judge.judge(float(mark), losses))]


def test_a_discriminator_that_has_won_is_told_once(tiny: TrainConfig) -> None:
    (warning,) = warnings_of_game(tiny, 0.01, 12.0)
    assert warning.startswith("warning: at 4.0 kimg the discriminator has won: its loss is 0.01, and its scores")
    assert f"--r1-gamma (now {tiny.r1_gamma:g})" in warning
    assert warnings_of_game(tiny, 0.01, 12.0, start=20.0)[0].startswith("warning: at 22.0 kimg")


def test_a_discriminator_that_sees_no_difference_is_told(tiny: TrainConfig) -> None:
    """These are the means of a run with R1 γ 300 on tiles of BBBC013 of 16 pixels."""
    (warning,) = warnings_of_game(tiny, 1.38, 0.014)
    assert "has collapsed: it gives real and generated tiles the same score (0.014 apart, loss 1.38)" in warning
    remedy = f"a tenth of the --r1-gamma (now {tiny.r1_gamma:g}) or a lower --learning-rate (now 0.002)"
    assert warning.endswith(f"Start a run in a new folder with {remedy}")


def test_a_discriminator_that_is_worse_than_a_guess_is_told(tiny: TrainConfig) -> None:
    """These are the means of a run with R1 γ 100,000 on the small plate."""
    (warning,) = warnings_of_game(tiny, 4.1, -3.4)
    assert "worse than a guess: its loss is 4.1" in warning
    assert f"a tenth of the --r1-gamma (now {tiny.r1_gamma:g}) or a tenth of the --learning-rate (now 0.002)" in warning


def test_a_run_without_r1_is_told_to_have_some(tiny: TrainConfig) -> None:
    config = replace(tiny, loss=LossConfig(r1_gamma=0.0))
    assert "with an --r1-gamma such as 10 (now 0) or a lower" in warnings_of_game(config, 0.01, 12.0)[0]
    assert "new folder with a tenth of the --learning-rate" in warnings_of_game(config, 4.1, -3.4)[0]
    assert "new folder with a lower --learning-rate (now 0.002)" in warnings_of_game(config, 2 * math.log(2), 0.0)[0]


@pytest.mark.parametrize(("loss", "distance"), [(1.0, 1.2), (0.3, 4.0), (0.05, 5.0), (1.38, 0.1), (1.6, -0.3)])
def test_a_healthy_game_needs_no_word(tiny: TrainConfig, loss: float, distance: float) -> None:
    assert warnings_of_game(tiny, loss, distance) == []


def test_losses_without_a_scale_are_not_judged(tiny: TrainConfig) -> None:
    assert warnings_of_game(replace(tiny, loss=LossConfig(gan="wasserstein")), 0.0, 100.0) == []
    assert GameJudge(tiny, 0.0).judge(10.0, {"contrast": 1.0}) is None


def test_one_bad_report_is_no_warning(tiny: TrainConfig) -> None:
    judge = GameJudge(tiny, 0.0)
    for mark in np.arange(0, 9, 0.25):
        won = mark == 8.0
        losses = {"d": 0.01 if won else 1.0, "real": 6.0 if won else 0.5, "fake": -6.0 if won else -0.5}
        assert judge.judge(float(mark), losses) is None


def test_with_the_contrastive_term_a_blind_discriminator_still_learns(tiny: TrainConfig) -> None:
    """Its run need not be started again, as it would have to be without that term."""
    (warning,) = warnings_of_game(replace(tiny, loss=LossConfig(contrast_weight=1.0)), 2 * math.log(2), 0.0)
    assert "learns from the contrastive term only" in warning
    assert "or a lower --learning-rate (now 0.002) may let it learn from both" in warning
    assert "Start a run in a new folder" not in warning
