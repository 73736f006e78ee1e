"""The optics and the camera against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from gandl.simulate.microscope.camera import BACKGROUND, COUNTS, PEDESTAL, READ_NOISE, illumination, photograph

from tests.cli.simulate.microscope.still import still


def test_shot_and_read_noise_have_the_stated_variance() -> None:
    flat = np.full((5, 128, 128), 500.0, np.float32)
    counts = photograph(flat, still(), 16, np.random.default_rng(2)).astype(float)
    electrons = 500.0 + BACKGROUND
    assert counts.mean(axis=(1, 2)) == pytest.approx(electrons * COUNTS[16] + PEDESTAL, rel=0.003)
    assert counts.var(axis=(1, 2)) == pytest.approx((electrons + READ_NOISE**2) * COUNTS[16] ** 2, rel=0.06)


def test_bright_pixels_saturate() -> None:
    bright = np.full((5, 64, 64), 1e6, np.float32)
    for bits in (8, 16):
        assert photograph(bright, still(), bits, np.random.default_rng(0)).min() == 2**bits - 1


def test_light_falls_to_the_corners_and_not_without_shading() -> None:
    rng = np.random.default_rng(0)
    assert (illumination(64, still(), rng) == 1).all()
    light = illumination(64, still(shading=0.3), rng)
    assert (light[:, 32, 32] > 0.97).all() and (light[:, [0, 0, -1, -1], [0, -1, 0, -1]] < 0.85).all()
