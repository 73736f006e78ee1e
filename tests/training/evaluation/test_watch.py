"""What is watched along a run."""

from __future__ import annotations

from pathlib import Path

import torch
from gandl_training.config import TrainConfig
from gandl_training.data.dataset import Crops, Source, pack
from gandl_training.evaluation.watch import Watch, generate, split_wells
from gandl_training.steps.step import Trainer


def test_wells_are_held_out_whole(plate: Source, tmp_path: Path) -> None:
    store = pack(plate, tmp_path / "data", size=16)
    training, held_out = split_wells(store, 0.25, seed=0)
    assert (len(training), len(held_out)) == (6, 2)
    assert set(training).isdisjoint(held_out)
    assert split_wells(store, 0.0, seed=0) == (tuple(range(8)), ())


def test_a_look_reports_distances_scores_and_probe(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    store = pack(plate, tmp_path / "data", size=16)
    training, held_out = split_wells(store, 0.25, seed=0)
    watch = Watch.of(Crops(store, 16, 8, 0, fields=training), held_out)
    trainer = Trainer(tiny, torch.device("cpu"))
    values = watch.look(trainer.generator_ema, trainer.discriminator_ema)
    assert values.keys() == {
        "quality/frechet",
        "quality/kernel",
        "quality/score_training",
        "quality/score_held_out",
        "probe/accuracy_U2OS",
        "probe/z_prime_U2OS",
    }
    assert values["quality/frechet"] > 0
    assert values["probe/accuracy_U2OS"] > 0.9  # the controls of the test plate differ in brightness


def test_generated_tiles_repeat(tiny: TrainConfig) -> None:
    generator = Trainer(tiny, torch.device("cpu")).generator_ema
    first = generate(generator, 5, seed=1, batch=2)
    assert first.shape == (5, 2, 16, 16)
    assert (first == generate(generator, 5, seed=1, batch=2)).all()
    assert (first != generate(generator, 5, seed=2, batch=2)).any()
