"""The files of a run: which are due after a step, and what a snapshot holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gandl_training.config import TrainConfig
from gandl_training.data.crops import Crops
from gandl_training.data.source import Source
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.writer import SNAPSHOT_PARTS, RunWriter
from gandl_training.steps.step import Trainer

from tests.training.small_run import packed


def writer_of(config: TrainConfig, plate: Source, folder: Path) -> RunWriter:
    store = packed(plate, folder / "data")
    trainer = Trainer(config, torch.device("cpu"))
    return RunWriter(trainer, Crops(store=store, size=16, batch=config.batch, seed=0), (), folder)


def test_each_mark_is_passed_once(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    """Batches of 2 and a snapshot every 6 images: marks that are no exact floats are neither doubled nor missed."""
    writer = writer_of(replace(tiny, batch=2, snapshot_kimg=0.006), plate, tmp_path)
    for step in range(1, 16):
        writer.trainer.step = step
        writer.write_due(lambda: None)
    names = sorted(path.stem for path in (tmp_path / "snapshots").iterdir())
    assert names == [f"kimg-{kimg:09.3f}" for kimg in (0.006, 0.012, 0.018, 0.024, 0.030)]


def test_a_snapshot_can_be_exported_and_a_checkpoint_resumed(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    writer = writer_of(tiny, plate, tmp_path)
    writer.save(tmp_path / "snapshot.pt", SNAPSHOT_PARTS)
    writer.save(tmp_path / "whole.pt")
    assert set(ckpt.load(tmp_path / "snapshot.pt").state) == set(SNAPSHOT_PARTS)
    assert set(ckpt.load(tmp_path / "whole.pt").state) == set(writer.trainer.state())


@pytest.mark.parametrize("name", ["checkpoint_kimg", "quality_kimg"])
def test_losses_are_checked_before_a_checkpoint_and_an_evaluation(
    tiny: TrainConfig, plate: Source, tmp_path: Path, name: str
) -> None:
    writer = writer_of(replace(tiny, **{name: 0.008}), plate, tmp_path)

    def not_finite() -> None:
        raise ValueError("d is not finite")

    writer.trainer.step = 1
    with pytest.raises(ValueError, match="not finite"):
        writer.write_due(not_finite)
    assert not (tmp_path / ckpt.CHECKPOINT).exists()
    assert not (tmp_path / "log.jsonl").exists()


def test_a_finished_run_has_its_checkpoint_and_a_sample_grid(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    writer = writer_of(tiny, plate, tmp_path)
    writer.trainer.step = 3
    writer.finish()
    assert ckpt.load(tmp_path / ckpt.CHECKPOINT).step == 3
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["kimg-00000.024.png"]
