"""Scores out of fold: what they depend on, what the axis does not respond to, and input that is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_science.axis import cross_fit as axes
from gandl_science.axis.cross_fit import DEFAULT_OPTIONS, AxisOptions, fit_linear_axis, score_wells
from gandl_science.axis.linear.whitening import WHITENINGS
from gandl_science.axis.scores import WellScores
from numpy.typing import NDArray

from tests.science.simulated_plates import Design, Plate, draw


def scored(plate: Plate, whitening: str = "within_class") -> WellScores:
    return score_wells(plate.vectors, plate.well, plate.labels, plate.folds, AxisOptions(whitening=whitening))


@pytest.fixture(scope="module")
def plate() -> Plate:
    return draw(Design(), np.random.default_rng(0))


@pytest.mark.parametrize("whitening", sorted(WHITENINGS))
def test_unseen_wells_fall_on_their_side(plate: Plate, whitening: str) -> None:
    scores = scored(plate, whitening)
    unseen = plate.labels == 0
    assert np.mean((scores.efficacy > 0)[unseen] == (plate.truth > 0)[unseen]) > 0.9
    assert scores.efficacy[plate.labels > 0].mean() == pytest.approx(1)
    assert scores.efficacy[plate.labels < 0].mean() == pytest.approx(-1)


def test_a_held_out_well_is_not_seen_by_its_score(plate: Plate) -> None:
    """Changing one control's vectors changes its own raw score only as its own fold's axis sees it: the axis that
    scores it stays bit for bit the same."""
    folds, changed = plate.folds, plate.vectors.copy()
    changed[plate.well == 3] *= -5
    before = score_wells(plate.vectors, plate.well, plate.labels, folds)
    after = score_wells(changed, plate.well, plate.labels, folds)
    fold = folds.of_well[3]
    assert np.array_equal(before.fit.weights[fold], after.fit.weights[fold])
    others = [k for k in range(folds.count) if k != fold]
    assert not np.allclose(before.fit.weights[others], after.fit.weights[others])
    together = folds.of_well == fold
    together[3] = False
    assert np.array_equal(before.on[together], after.on[together])


def test_well_and_site_scores_are_means_of_tiles(plate: Plate) -> None:
    scores = scored(plate)
    for w in (0, 1, 20):
        assert scores.tile_on[plate.well == w].mean() == pytest.approx(scores.on[w])


@pytest.mark.parametrize("whitening", ["within_class", "raw"])
def test_folds_that_are_fitted_together_have_the_same_axes(
    plate: Plate, whitening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = scored(plate, whitening)
    monkeypatch.setattr(axes, "MIN_JOINT_NUMBERS", 0)
    together = scored(plate, whitening)
    np.testing.assert_allclose(together.efficacy, alone.efficacy, atol=1e-5)
    np.testing.assert_allclose(together.off_distance, alone.off_distance, rtol=1e-4)
    assert np.array_equal(together.tiles_right, alone.tiles_right)


def test_same_input_same_bits(plate: Plate) -> None:
    first, second = scored(plate), scored(plate)
    assert first.fit.digest == second.fit.digest
    assert np.array_equal(first.off_distance, second.off_distance)


def test_scores_do_not_depend_on_the_unit_of_the_vectors(plate: Plate) -> None:
    scores = scored(plate)
    other = score_wells(plate.vectors * 1000 + 50, plate.well, plate.labels, plate.folds)
    np.testing.assert_allclose(other.efficacy, scores.efficacy, atol=1e-3)


def test_a_well_without_tiles_has_no_score(plate: Plate) -> None:
    keep = plate.well != len(plate.labels) - 1
    scores = score_wells(plate.vectors[keep], plate.well[keep], plate.labels, plate.folds)
    assert np.isnan([scores.on[-1], scores.efficacy[-1], scores.off[-1], scores.off_distance[-1]]).all()
    assert scores.n_tiles[-1] == 0
    assert np.isfinite(scores.efficacy[:-1]).all()


def test_features_that_are_constant_change_nothing(plate: Plate) -> None:
    padded = np.hstack([plate.vectors, np.full((len(plate.vectors), 3), 4.0, np.float32)])
    scores = score_wells(padded, plate.well, plate.labels, plate.folds)
    assert np.corrcoef(scores.efficacy, scored(plate).efficacy)[0, 1] > 0.99


def test_features_that_are_all_constant_separate_nothing(plate: Plate) -> None:
    scores = score_wells(np.ones_like(plate.vectors), plate.well, plate.labels, plate.folds)
    assert not scores.anchors.separated
    assert np.isnan(scores.efficacy).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_must_be_finite(plate: Plate, bad: float) -> None:
    vectors = plate.vectors.copy()
    vectors[5, 2] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        score_wells(vectors, plate.well, plate.labels, plate.folds)


class TestOffAxis:
    def test_an_effect_across_the_axis_shows_in_the_distance_only(self) -> None:
        plate, killed = _with_effects(np.random.default_rng(1))
        scores = scored(plate)
        assert scores.off_distance[killed].min() > 2 * np.median(scores.off_distance[plate.labels != 0])
        assert (scores.efficacy[killed] > 0.5).all()  # along the axis alone they pass as rescued

    def test_unseen_healthy_wells_are_typical(self) -> None:
        """Held-out controls and wells that no fit has seen lie equally far out."""
        ratios = []
        for seed in range(12):
            plate = draw(Design(features=48, unseen=12), np.random.default_rng(seed))
            distance = scored(plate).off_distance
            ratios.append(np.median(distance[plate.labels == 0]) / np.median(distance[plate.labels != 0]))
        assert np.mean(ratios) == pytest.approx(1, abs=0.03)

    def test_a_mixture_of_both_controls_is_no_other_effect(self) -> None:
        """Half the tiles of each class: efficacy near 0, and no farther out than the controls."""
        rng = np.random.default_rng(3)
        plate = draw(Design(effect=8.0), rng)
        vectors, last = plate.vectors.copy(), len(plate.labels) - 1
        donor = np.flatnonzero(plate.well == np.flatnonzero((plate.labels == 0) & (plate.truth > 0))[0])
        tiles = np.flatnonzero(plate.well == last)
        vectors[tiles[::2]] = vectors[donor[::2]]
        scores = score_wells(vectors, plate.well, plate.labels, plate.folds)
        assert abs(scores.efficacy[last]) < 0.4
        assert scores.off_distance[last] < 1.5

    def test_off_coordinate_is_centred_and_across_the_axis(self, plate: Plate) -> None:
        scores = scored(plate)
        off = scores.fit.off_axis
        assert scores.off[plate.labels != 0].mean() == pytest.approx(0, abs=1e-9)
        assert off.direction @ off.weights == pytest.approx(0, abs=1e-9)
        assert np.linalg.norm(off.direction) == pytest.approx(1)
        assert off.direction[np.argmax(np.abs(off.direction))] > 0


def test_the_direction_is_that_of_the_classes() -> None:
    """With many wells the axis points along the true difference, in whitened and in raw space."""
    plate = draw(Design(controls=200, unseen=0, features=8), np.random.default_rng(0))
    axis = fit_linear_axis(plate.vectors, plate.labels[plate.well], DEFAULT_OPTIONS)
    weights, bias = axis.functional
    assert weights @ np.ones(8) / np.sqrt(8) / np.linalg.norm(weights) > 0.98
    np.testing.assert_allclose(
        plate.vectors[:5] @ weights + bias, axis.whitening(plate.vectors[:5]) @ axis.weights + axis.bias, rtol=1e-6
    )


def test_default_regularisation_is_the_documented_one() -> None:
    assert AxisOptions().regularisation == axes.REGULARISATION


def _with_effects(rng: np.random.Generator) -> tuple[Plate, NDArray[np.bool_]]:
    """A plate whose last two unseen positive wells are moved across the axis."""
    plate = draw(Design(), rng)
    vectors = plate.vectors.copy()
    across = np.zeros(32)
    across[:2] = 1, -1
    killed = np.zeros(len(plate.labels), bool)
    killed[np.flatnonzero((plate.labels == 0) & (plate.truth > 0))[-2:]] = True
    vectors[killed[plate.well]] += (10 * across / np.sqrt(2)).astype(np.float32)
    return replace(plate, vectors=vectors), killed


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_a_feature_of_noise_counts_no_more_on_a_larger_scale(plate: Plate, size: float) -> None:
    """A table of features mixes areas with ratios, and the variance of a feature says nothing of its worth."""
    noise = np.random.default_rng(7).normal(size=(len(plate.vectors), 1))
    plain = score_wells(np.hstack([plate.vectors, noise]), plate.well, plate.labels, plate.folds)
    scaled = score_wells(np.hstack([plate.vectors, size * noise]), plate.well, plate.labels, plate.folds)
    assert np.corrcoef(plain.efficacy, scaled.efficacy)[0, 1] > 0.99
    assert scaled.efficacy == pytest.approx(plain.efficacy, abs=0.2)
