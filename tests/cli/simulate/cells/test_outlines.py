"""Outlines of cells and the pixels that they win."""

from __future__ import annotations

import numpy as np
import pytest
from gandl.simulate.cells.outlines import FAR, Shapes, compete


def circles(*centres: tuple[float, float, float]) -> Shapes:
    x, y, radius = np.array(centres, np.float32).T
    n = len(centres)
    flat = np.zeros((3, n), np.float32)
    return Shapes(
        x=x,
        y=y,
        angle=np.zeros(n, np.float32),
        radius=radius,
        ratio=np.ones(n, np.float32),
        lobes=flat,
        phases=flat,
    )


def test_a_circle_has_its_area_and_touching_cells_meet_halfway() -> None:
    alone = compete(circles((50, 50, 20)), np.array([0], np.int32), 100)
    assert np.sum(alone.rho < 1) == pytest.approx(np.pi * 400, rel=0.02)
    assert alone.label[0, 0] == 1  # beyond the last cell: background
    both = compete(circles((40, 50, 20), (60, 50, 20)), np.array([0, 1], np.int32), 100)
    assert set(both.label[50, 30:50]) == {0} and set(both.label[50, 51:70]) == {1}
    assert both.second[50, 50] == pytest.approx(both.rho[50, 50])
    fused = compete(circles((40, 50, 20), (60, 50, 20)), np.array([0, 0], np.int32), 100)
    assert fused.second.min() > 1  # no border inside a syncytium


def test_a_cell_outside_the_field_wins_no_pixel() -> None:
    regions = compete(circles((-90, 50, 20)), np.array([0], np.int32), 100)
    assert (regions.label == 1).all() and (regions.rho == FAR).all()
