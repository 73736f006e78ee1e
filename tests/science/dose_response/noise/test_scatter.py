"""The test of the scatter of the dose that carries the effect."""

from __future__ import annotations

import numpy as np
from gandl_science.arrays import Float, Mask
from gandl_science.dose_response.noise.scatter import has_unequal_scatter


def flags(wells: Float) -> Mask:
    return has_unequal_scatter(wells, np.ones_like(wells), np.full(wells.shape[:2], float(wells.shape[2])))


def test_equal_noise_is_flagged_at_its_level() -> None:
    """Mean and scatter of normal wells are independent, so the choice of the farthest dose costs nothing."""
    wells = np.random.default_rng(0).normal(size=(4000, 6, 3))
    assert abs(np.mean(flags(wells)) - 0.05) < 3.3 * np.sqrt(0.05 * 0.95 / 4000)


def test_a_noisy_top_dose_is_flagged_where_it_carries_the_effect() -> None:
    wells = np.random.default_rng(1).normal(size=(500, 6, 3))
    wells[:, -1] = 5 * wells[:, -1] + 15
    assert np.mean(flags(wells)) > 0.8


def test_single_wells_have_no_scatter() -> None:
    assert not flags(np.random.default_rng(2).normal(size=(5, 6, 1))).any()


def test_equal_wells_are_not_divided_by_zero() -> None:
    assert not flags(np.ones((1, 6, 3))).any()
