"""Tiles are counted on the side of their own well, and only for labelled wells."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.axis.cross_fit import score_wells
from gandl_science.axis.scores import count_tiles_right

from tests.science.simulated_plates import Design, draw


def test_tiles_are_counted_per_labelled_well() -> None:
    tile_on = np.array([0.5, -0.5, -1.0, -2.0, 3.0])
    right = count_tiles_right(tile_on, np.array([0, 0, 1, 1, 2]), np.array([1, -1, 0, 1]))
    assert right.tolist() == [1, 2, -1, 0]


def test_tile_accuracy_counts_held_out_tiles() -> None:
    plate = draw(Design(), np.random.default_rng(0))
    scores = score_wells(plate.vectors, plate.well, plate.labels, plate.folds)
    controls = plate.labels != 0
    tiles = controls[plate.well]
    expected = np.mean((scores.tile_on[tiles] > 0) == (plate.labels[plate.well[tiles]] > 0))
    assert scores.tile_accuracy(controls) == pytest.approx(expected)
    assert scores.tile_accuracy(~controls) is None
