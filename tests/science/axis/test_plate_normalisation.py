"""Plate effects go, what distinguishes the classes stays, and no negative control is normalised by itself."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.axis.plate_normalisation import (
    PLATE_NORMALISATIONS,
    align_plates,
    principal_components,
    robustise_plates,
    standardise_plates,
)
from numpy.typing import NDArray

Screen = tuple[NDArray[np.float32], NDArray[np.intp], list[str], NDArray[np.bool_]]


def screen(negatives: int = 6, seed: int = 0) -> Screen:
    """Two plates of `negatives` and 4 other wells, 20 tiles each; the second is shifted and stretched."""
    rng = np.random.default_rng(seed)
    wells = negatives + 4
    reference = np.tile(np.arange(wells) < negatives, 2)
    x = rng.normal(size=(2 * wells, 20, 6)) + 3.0 * ~reference[:, None, None]
    x[wells:] = x[wells:] * 2.5 + 7
    plates = ["P1"] * wells + ["P2"] * wells
    return x.reshape(-1, 6).astype(np.float32), np.repeat(np.arange(2 * wells), 20), plates, reference


@pytest.mark.parametrize("name", sorted(PLATE_NORMALISATIONS))
def test_plates_become_alike_and_classes_stay_apart(name: str) -> None:
    vectors, well, plates, reference = screen()
    out = PLATE_NORMALISATIONS[name](vectors, well, plates, reference)
    first, other = np.array(plates)[well] == "P1", ~reference[well]
    assert out[first & other].mean() == pytest.approx(out[~first & other].mean(), rel=0.15)
    assert out[other].mean() - out[~other].mean() > 1.5 * out[~other].std()


def test_negatives_have_zero_mean_and_unit_spread_by_the_others() -> None:
    vectors, well, plates, reference = screen()
    out = standardise_plates(vectors, well, plates, reference)
    others = np.isin(well, [1, 2, 3, 4, 5])
    expected = (vectors[well == 0] - vectors[others].mean(axis=0)) / vectors[others].std(axis=0)
    np.testing.assert_allclose(out[well == 0], expected, rtol=1e-4, atol=1e-5)
    assert abs(out[reference[well]].mean()) > 0  # exactly zero would mean that each was normalised by itself


def test_aligned_plates_share_a_covariance() -> None:
    vectors, well, plates, reference = screen(negatives=20)
    out = align_plates(vectors, well, plates, reference)
    spread = [np.cov(out[reference[well] & (np.array(plates)[well] == p)].T) for p in ("P1", "P2")]
    np.testing.assert_allclose(np.diag(spread[0]), np.diag(spread[1]), rtol=0.25)


@pytest.mark.parametrize("name", sorted(PLATE_NORMALISATIONS))
def test_a_plate_with_one_negative_is_named(name: str) -> None:
    vectors, well, plates, reference = screen()
    reference[11:16] = False
    with pytest.raises(ValueError, match="plate P2 has 1 negative"):
        PLATE_NORMALISATIONS[name](vectors, well, plates, reference)


@pytest.mark.parametrize("name", sorted(PLATE_NORMALISATIONS))
def test_constant_features_stay_finite(name: str) -> None:
    vectors, well, plates, reference = screen()
    vectors[:, 2] = 5
    assert np.isfinite(PLATE_NORMALISATIONS[name](vectors, well, plates, reference)).all()


def test_principal_components_are_those_of_standardised_features() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) * [1, 10, 100, 1, 1]).astype(np.float32)
    scores = principal_components(vectors, 3)
    x = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    _, singular, _ = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(np.linalg.norm(scores, axis=0), singular[:3], rtol=1e-4)
    assert principal_components(vectors).shape == (300, 5)
    np.testing.assert_allclose(principal_components(vectors, 3, of=vectors[7:9]), scores[7:9], rtol=1e-5)


def test_robust_scaling_ignores_a_stray_control() -> None:
    vectors, well, plates, reference = screen(negatives=12)
    stray = vectors.copy()
    stray[well == 0] = 1e4
    out, out_stray = (robustise_plates(x, well, plates, reference) for x in (vectors, stray))
    others = (well != 0) & (np.array(plates)[well] == "P1")
    np.testing.assert_allclose(out_stray[others].mean(axis=0), out[others].mean(axis=0), atol=0.5)
