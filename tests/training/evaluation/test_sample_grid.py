"""The sample grid: colours of channels, the order of tiles, and the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_training.evaluation.sample_grid import GAP, colour_composite, sample_grid, save_png, tile_grid
from PIL import Image


def test_one_channel_is_grey_and_colours_of_several_are_added() -> None:
    grey = np.full((1, 1, 2, 2), 100, np.uint8)
    assert (colour_composite(grey) == 100).all()
    two = np.zeros((1, 2, 1, 3), np.uint8)
    two[0, :, 0] = [[255, 0, 255], [0, 255, 255]]
    assert colour_composite(two)[0, 0].tolist() == [[0, 255, 0], [60, 110, 255], [60, 255, 255]]  # the sum is clipped


def test_tiles_are_arranged_row_by_row() -> None:
    tiles = np.stack([np.full((2, 2, 3), n, np.uint8) for n in range(6)])
    assert tile_grid(tiles, columns=3)[::2, ::2, 0].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("channels", [1, 2, 5, 7])
def test_real_tiles_are_on_the_left_of_a_white_line(channels: int) -> None:
    real, generated = np.full((4, channels, 8, 8), 200, np.uint8), np.zeros((4, channels, 8, 8), np.uint8)
    picture = sample_grid(real, generated, columns=2)
    assert picture.shape == (16, 2 * 16 + GAP, 3)
    assert (picture[:, 16 : 16 + GAP] == 255).all()
    assert picture[:, :16].any() and not picture[:, 16 + GAP :].any()


def test_a_picture_is_written_whole(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
    save_png(picture, tmp_path / "grid.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "grid.png")), picture)
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]
    with pytest.raises(FileNotFoundError):
        save_png(picture, tmp_path / "nowhere" / "grid.png")
