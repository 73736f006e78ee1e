"""The metrics along a run, and the wells that are held out for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gandl_training.config import TrainConfig
from gandl_training.data.crops import Crops
from gandl_training.data.source import Source
from gandl_training.evaluation import evaluator as evaluation
from gandl_training.evaluation.evaluator import Evaluator, generate_tiles, mean_score, split_wells
from gandl_training.evaluation.probe import ProbeResult
from gandl_training.steps.step import Trainer

from tests.training.small_run import make_cells, make_treatments, packed

CPU = torch.device("cpu")


def test_wells_are_held_out_whole(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    training, held_out = split_wells(store, 0.25, seed=0)
    assert (len(training), len(held_out)) == (6, 2)
    assert set(training).isdisjoint(held_out)
    assert split_wells(store, 0.0, seed=0) == (tuple(range(8)), ())
    assert len(split_wells(store, 0.01, seed=0)[1]) == 1


def test_an_evaluation_has_distances_scores_and_the_probe(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    training, held_out = split_wells(store, 0.25, seed=0)
    evaluator = Evaluator.from_crops(Crops(store=store, size=16, batch=8, seed=0, fields=training), held_out)
    trainer = Trainer(tiny, CPU)
    metrics = evaluator.evaluate(trainer.generator_ema, trainer.discriminator_ema)
    assert metrics.keys() == {
        "quality/frechet",
        "quality/kernel",
        "quality/score_training",
        "quality/score_held_out",
        "probe/accuracy_U2OS",
        "probe/z_prime_U2OS",
    }
    assert metrics["quality/frechet"] > 0
    assert metrics["probe/accuracy_U2OS"] > 0.9  # the controls of the test plate differ in brightness
    assert evaluator.cell_lines_without_probe == ()


def test_baselines_are_probed_on_the_same_tiles(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    untrained = Trainer(tiny, CPU).discriminator_ema
    results = Evaluator.from_crops(Crops(store=store, size=16, batch=8, seed=0), ()).baselines(untrained)
    assert results.keys() == {"U2OS"}
    assert list(results["U2OS"]) == ["intensity", "pca", "untrained"]
    # The controls of the test plate differ in brightness, which all of them can see.
    assert all(result.accuracy > 0.9 for result in results["U2OS"].values())


def test_no_z_prime_is_reported_where_the_axis_points_the_wrong_way(
    tiny: TrainConfig, plate: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "probe", lambda *_: ProbeResult(accuracy=0.25, z_prime=None))
    store = packed(plate, tmp_path / "data")
    evaluator = Evaluator.from_crops(Crops(store=store, size=16, batch=8, seed=0), ())
    trainer = Trainer(tiny, CPU)
    metrics = evaluator.evaluate(trainer.generator_ema, trainer.discriminator_ema)
    probes = evaluator.evaluate(None, trainer.discriminator_ema)  # the contrastive term alone has no generator
    assert probes == {name: value for name, value in metrics.items() if name.startswith("probe/")}
    assert metrics["probe/accuracy_U2OS"] == 0.25
    assert "probe/z_prime_U2OS" not in metrics


def test_a_cell_line_without_controls_is_named_where_another_has_them(plate: Source, tmp_path: Path) -> None:
    store = packed(plate, tmp_path / "data")
    treatment = replace(store.index.records[0], role="treatment", cell_line="HeLa")
    store = replace(store, index=replace(store.index, records=(treatment, *store.index.records[1:])))
    evaluator = Evaluator.from_crops(Crops(store=store, size=16, batch=8, seed=0), ())
    assert (set(evaluator.controls), evaluator.cell_lines_without_probe) == ({"U2OS"}, ("HeLa",))


def test_a_plate_without_any_control_has_nothing_to_probe(plate: Source, tmp_path: Path) -> None:
    make_treatments(plate)
    store = packed(plate, tmp_path / "data")
    evaluator = Evaluator.from_crops(Crops(store=store, size=16, batch=8, seed=0), ())
    assert (evaluator.controls, evaluator.cell_lines_without_probe) == ({}, ())


def test_single_cells_are_held_out_one_by_one(tmp_path: Path) -> None:
    store = packed(make_cells(tmp_path), tmp_path / "data")
    training, held_out = split_wells(store, 0.25, seed=0)
    assert (len(training), len(held_out)) == (9, 3)


def test_generated_tiles_repeat(tiny: TrainConfig) -> None:
    generator = Trainer(tiny, CPU).generator_ema
    first = generate_tiles(generator, 5, seed=1, batch=2)
    assert first.shape == (5, 2, 16, 16)
    assert (first == generate_tiles(generator, 5, seed=1, batch=2)).all()
    assert (first != generate_tiles(generator, 5, seed=2, batch=2)).any()


def test_the_mean_score_is_over_all_tiles_whatever_the_batch(tiny: TrainConfig) -> None:
    """In groups of four, as the minibatch standard deviation takes them."""
    discriminator = Trainer(tiny, CPU).discriminator
    tiles = np.random.default_rng(0).integers(0, 256, (8, 2, 16, 16), np.uint8)
    halves = [mean_score(discriminator, tiles[:4]), mean_score(discriminator, tiles[4:])]
    assert mean_score(discriminator, tiles, batch=4) == pytest.approx(np.mean(halves), rel=1e-5)
