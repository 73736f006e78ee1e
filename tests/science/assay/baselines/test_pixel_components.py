"""Principal components of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.assay.baselines.pixel_components import COMPONENTS, fit_components, max_tiles

RNG = np.random.default_rng(8)
PATTERN = RNG.integers(0, 2, (2, 8, 8))
LEVELS = RNG.uniform(0, 200, 40)
TILES = np.rint(LEVELS[:, None, None, None] * PATTERN).astype(np.uint8)


def test_the_first_component_is_the_pattern_that_varies() -> None:
    vectors = fit_components(TILES).vectors(TILES)
    assert abs(np.corrcoef(vectors[:, 0], LEVELS)[0, 1]) > 0.999
    assert vectors[:, 1:].std() < 0.01 * vectors[:, 0].std()


def test_a_vector_does_not_depend_on_its_batch_and_a_fit_is_repeatable() -> None:
    fitted = fit_components(TILES)
    together = fitted.vectors(TILES)
    assert np.array_equal(np.concatenate([fitted.vectors(tile[None]) for tile in TILES]), together)
    assert np.array_equal(fit_components(TILES).vectors(TILES), together)
    assert fitted.vectors(TILES[:0]).shape == (0, fitted.width)


def test_the_number_of_components_follows_the_number_of_tiles() -> None:
    noise = RNG.integers(0, 256, (100, 2, 8, 8), np.uint8)
    assert fit_components(noise).width == COMPONENTS
    assert fit_components(noise[:5]).width == 4
    with pytest.raises(ValueError, match="at least two tiles"):
        fit_components(noise[:1])
    assert max_tiles(2**25) == 2
