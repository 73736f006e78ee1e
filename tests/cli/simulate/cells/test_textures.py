"""Noise and spots with the stated height, scale and variance."""

from __future__ import annotations

import numpy as np
import pytest
from gandl.simulate.cells.textures import noise, noise_patch, spots


def test_a_spot_has_its_height_and_a_point_outside_is_dropped() -> None:
    image = spots(np.array([20.0]), np.array([30.0]), np.array([3.0]), 2.0, 64)
    assert np.unravel_index(image.argmax(), image.shape) == (30, 20)
    assert image.max() == pytest.approx(3.0, rel=0.03)
    assert spots(np.array([-9.0]), np.array([5.0]), np.array([3.0]), 2.0, 64).max() == 0


def test_noise_patches_are_standardised_and_periodic() -> None:
    patch = noise_patch(4.0)
    assert patch.mean() == pytest.approx(0, abs=1e-4) and patch.std() == pytest.approx(1, abs=1e-3)
    inside, across = np.diff(patch, axis=0).std(), (patch[0] - patch[-1]).std()
    assert across == pytest.approx(inside, rel=0.15)


def test_a_cut_of_noise_is_part_of_the_periodic_patch() -> None:
    cut = noise(4.0, 600, np.random.default_rng(0))
    assert cut.shape == (600, 600)
    assert (cut[:, :88] == cut[:, 512:]).all() and (cut[:88] == cut[512:]).all()
