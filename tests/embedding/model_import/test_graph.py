"""The graph around a foreign network."""

from __future__ import annotations

import numpy as np
from gandl_embedding.model_import.graph import interpolation


def test_linear_interpolation_between_pixel_centres() -> None:
    weights = interpolation(2, 4)
    assert weights.tolist() == [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]
    assert np.allclose(interpolation(64, 224).sum(axis=1), 1)
