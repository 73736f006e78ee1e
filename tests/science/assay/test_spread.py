"""The robust standard deviation estimates that of normal values and ignores extreme ones."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.assay.spread import robust_sd


def test_values_by_hand() -> None:
    """The median is 3, and the absolute deviations 2, 1, 0, 1, 97 have the median 1."""
    assert robust_sd(np.array([1.0, 2.0, 3.0, 4.0, 100.0])) == 1.4826


def test_the_standard_deviation_of_normal_values() -> None:
    values = np.random.default_rng(0).normal(scale=2.5, size=100_000)
    assert robust_sd(values) == pytest.approx(2.5, rel=0.01)  # its standard error is 1.17 / sqrt(100,000) = 0.4 %
