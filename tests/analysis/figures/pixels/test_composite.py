"""Channels laid over each other, and sprites."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.figures.pixels.composite import GAP, composite, sprite
from gandl_shared.errors import Malformed

WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)


def test_one_grey_channel_is_returned_as_it_is() -> None:
    field = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    np.testing.assert_array_equal(composite(field, [WHITE]), field[0])


def test_light_adds_up_and_ends_at_255() -> None:
    field = np.array([[[10, 200]], [[100, 200]], [[50, 100]]], np.uint8)
    picture = composite(field, [RED, BLUE, WHITE])
    np.testing.assert_array_equal(picture, [[[60, 50, 150], [255, 100, 255]]])


def test_a_colour_for_each_channel_is_needed() -> None:
    with pytest.raises(Malformed, match="2 channels, and 1 colours"):
        composite(np.zeros((2, 1, 1), np.uint8), [RED])


def test_fields_are_in_the_middle_of_their_cells_in_their_colours() -> None:
    fields = {(0, 1): np.full((2, 2, 4), 7, np.uint8), (1, 0): np.full((2, 4, 4), 9, np.uint8)}
    grid = sprite(fields, [RED, BLUE], rows=2, columns=3, edge=4)
    assert grid.shape == (8, 12, 3)
    np.testing.assert_array_equal(grid[:4, 4:8, 0], np.array([GAP, 7, 7, GAP])[:, None].repeat(4, 1))
    assert (grid[4:, :4] == (9, 0, 9)).all()
    assert (grid[:, 8:] == GAP).all()


def test_a_grey_sprite_has_three_equal_colours() -> None:
    grid = sprite({(0, 0): np.full((1, 2, 2), 9, np.uint8)}, [WHITE], rows=1, columns=2, edge=2)
    np.testing.assert_array_equal(grid, np.array([[9, 9, GAP, GAP]] * 2)[:, :, None].repeat(3, 2))
