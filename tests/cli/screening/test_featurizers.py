"""The featurizer of a screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl.screening.featurizers import TileOptions, sample_tiles, screen_featurizer
from gandl.screening.run import ScreenJob, run
from gandl_shared.errors import BadInput
from gandl_shared.plates import read_plate_map

from tests.cases import plates
from tests.embedding.fixtures.tiny_model import tiny_model


@pytest.fixture
def job(tmp_path: Path) -> ScreenJob:
    """The small plate of the cases."""
    plate_map = plates.write_plate_map(tmp_path / "map.csv")
    return ScreenJob(images=plates.write_images(tmp_path / "Images"), plate_map=plate_map, out=tmp_path / "out")


def test_a_baseline_screens_a_plate(job: ScreenJob) -> None:
    embedder = screen_featurizer("intensity", job, TileOptions(tile_size=32, downscale=2))
    assert (embedder.card.size, embedder.card.downscale) == (32, 2)
    assert embedder.card.channel_names == ("channel_1", "channel_2")
    analysis = run(job, embedder)
    assert (analysis.quality.cell_lines["U2OS"].accuracy or 0) > 0.9


def test_components_are_fitted_to_the_tiles_of_the_screen(job: ScreenJob) -> None:
    embedder = screen_featurizer("pca", job, TileOptions(tile_size=64))
    # Thirty fields of 128 × 128 pixels have four tiles each.
    assert embedder.card.training.data == "120 tiles of the screen itself, without labels"
    tiles = sample_tiles(job, read_plate_map(job.plate_map), embedder.card, 7)
    assert tiles.shape == (7, 2, 64, 64) and len(np.unique(tiles, axis=0)) == 7


def test_tiles_like_those_of_a_model(job: ScreenJob, tmp_path: Path) -> None:
    like = tiny_model(tmp_path / "m.onnx", size=32, downscale=2)
    card = screen_featurizer("intensity", job, TileOptions(like=like)).card
    assert (card.size, card.downscale, card.channel_names) == (32, 2, ("C0", "C1"))
    larger = screen_featurizer("intensity", job, TileOptions(like=like, tile_size=64)).card
    assert (larger.size, larger.downscale, larger.channel_names) == (64, 2, ("C0", "C1"))


def test_options_without_effect_are_refused(job: ScreenJob, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m.onnx")
    with pytest.raises(BadInput, match="--tile-size is for a baseline; a model file has its own tiles"):
        screen_featurizer(str(model), job, TileOptions(tile_size=32))
    with pytest.raises(BadInput, match="256"):
        run(replace(job, out=tmp_path / "big"), screen_featurizer("intensity", job, TileOptions(tile_size=256)))
