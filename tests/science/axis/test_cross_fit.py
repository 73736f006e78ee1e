"""The axis: out-of-fold scores, what it is blind to, bad input, and the stored fit."""

from __future__ import annotations

import io

import numpy as np
import pytest
from gandl_science.axis import cross_fit as axes
from gandl_science.axis.cross_fit import AxisOptions, WellScores, fit_linear_axis, score_wells
from gandl_science.axis.fitted import AxisFit
from gandl_science.axis.folds import Folds, grouped_folds
from gandl_science.axis.whitening import WHITENINGS
from numpy.typing import NDArray

from tests.science.simulated_plates import Design, Plate, draw


def folds_of(plate: Plate) -> Folds:
    folds = grouped_folds(plate.plates, plate.names, plate.labels)
    assert folds is not None
    return folds


def scored(plate: Plate, whiten: str = "within_class") -> WellScores:
    return score_wells(plate.vectors, plate.well, plate.labels, folds_of(plate), whiten=whiten)


@pytest.fixture(scope="module")
def plate() -> Plate:
    return draw(Design(), np.random.default_rng(0))


@pytest.mark.parametrize("whiten", sorted(WHITENINGS))
def test_unseen_wells_fall_on_their_side(plate: Plate, whiten: str) -> None:
    scores = scored(plate, whiten)
    unseen = plate.labels == 0
    assert np.mean((scores.efficacy > 0)[unseen] == (plate.truth > 0)[unseen]) > 0.9
    assert scores.efficacy[plate.labels > 0].mean() == pytest.approx(1)
    assert scores.efficacy[plate.labels < 0].mean() == pytest.approx(-1)


def test_a_held_out_well_is_not_seen_by_its_score(plate: Plate) -> None:
    """Changing one control's vectors changes its own raw score only as its own fold's axis sees it: the axis that
    scores it stays bit for bit the same."""
    folds, changed = folds_of(plate), plate.vectors.copy()
    changed[plate.well == 3] *= -5
    before = score_wells(plate.vectors, plate.well, plate.labels, folds)
    after = score_wells(changed, plate.well, plate.labels, folds)
    fold = folds.of_well[3]
    assert np.array_equal(before.axis.weights[fold], after.axis.weights[fold])
    others = [k for k in range(folds.count) if k != fold]
    assert not np.allclose(before.axis.weights[others], after.axis.weights[others])
    together = folds.of_well == fold
    together[3] = False
    assert np.array_equal(before.on[together], after.on[together])


def test_well_and_site_scores_are_means_of_tiles(plate: Plate) -> None:
    scores = scored(plate)
    for w in (0, 1, 20):
        assert scores.tile_on[plate.well == w].mean() == pytest.approx(scores.on[w])


def test_other_wells_score_by_the_stored_axis(plate: Plate) -> None:
    """What the fit says of treatments, `AxisFit.apply` says again."""
    scores = scored(plate)
    again = scores.axis.apply(plate.vectors, plate.well, plate.labels)
    unseen = plate.labels == 0
    np.testing.assert_allclose(again.efficacy[unseen], scores.efficacy[unseen], rtol=1e-9)
    np.testing.assert_allclose(again.off, scores.off, rtol=1e-9, atol=1e-9)
    ratio = again.off_distance[unseen] / scores.off_distance[unseen]
    assert np.median(ratio) == pytest.approx(1)  # one whitening against the mean of the folds': close, not equal
    assert np.all(np.abs(ratio - 1) < 0.25)


def test_same_input_same_bits(plate: Plate) -> None:
    first, second = scored(plate), scored(plate)
    assert first.axis.digest == second.axis.digest
    assert np.array_equal(first.off_distance, second.off_distance)


def test_scores_do_not_depend_on_the_unit_of_the_vectors(plate: Plate) -> None:
    scores = scored(plate)
    other = score_wells(plate.vectors * 1000 + 50, plate.well, plate.labels, folds_of(plate))
    np.testing.assert_allclose(other.efficacy, scores.efficacy, atol=1e-3)


def test_a_well_without_tiles_has_no_score(plate: Plate) -> None:
    keep = plate.well != len(plate.labels) - 1
    scores = score_wells(plate.vectors[keep], plate.well[keep], plate.labels, folds_of(plate))
    assert np.isnan([scores.on[-1], scores.efficacy[-1], scores.off[-1], scores.off_distance[-1]]).all()
    assert scores.n_tiles[-1] == 0
    assert np.isfinite(scores.efficacy[:-1]).all()


def test_features_that_are_constant_change_nothing(plate: Plate) -> None:
    padded = np.hstack([plate.vectors, np.full((len(plate.vectors), 3), 4.0, np.float32)])
    scores = score_wells(padded, plate.well, plate.labels, folds_of(plate))
    assert np.corrcoef(scores.efficacy, scored(plate).efficacy)[0, 1] > 0.99


def test_features_that_are_all_constant_separate_nothing(plate: Plate) -> None:
    scores = score_wells(np.ones_like(plate.vectors), plate.well, plate.labels, folds_of(plate))
    assert not scores.anchors.separated
    assert np.isnan(scores.efficacy).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_must_be_finite(plate: Plate, bad: float) -> None:
    vectors = plate.vectors.copy()
    vectors[5, 2] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        score_wells(vectors, plate.well, plate.labels, folds_of(plate))


def test_tile_accuracy_counts_held_out_tiles(plate: Plate) -> None:
    scores = scored(plate)
    controls = plate.labels != 0
    tiles = controls[plate.well]
    expected = np.mean((scores.tile_on[tiles] > 0) == (plate.labels[plate.well[tiles]] > 0))
    assert scores.tile_accuracy(controls) == pytest.approx(expected)
    assert scores.tile_accuracy(~controls) is None


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
        scores = score_wells(vectors, plate.well, plate.labels, folds_of(plate))
        assert abs(scores.efficacy[last]) < 0.4
        assert scores.off_distance[last] < 1.5

    def test_off_coordinate_is_centred_and_across_the_axis(self, plate: Plate) -> None:
        scores = scored(plate)
        off = scores.axis.off_axis
        assert scores.off[plate.labels != 0].mean() == pytest.approx(0, abs=1e-9)
        assert off.direction @ off.weights == pytest.approx(0, abs=1e-9)
        assert np.linalg.norm(off.direction) == pytest.approx(1)
        assert off.direction[np.argmax(np.abs(off.direction))] > 0


class TestStored:
    def test_comes_back_the_same(self, plate: Plate) -> None:
        fit = scored(plate).axis
        back = AxisFit.from_npz(io.BytesIO(_written(fit)))
        assert back.digest == fit.digest
        assert np.array_equal(back.along(plate.vectors), fit.along(plate.vectors))

    def test_a_changed_file_is_refused(self, plate: Plate) -> None:
        fit = scored(plate).axis
        with np.load(io.BytesIO(_written(fit))) as stored:
            arrays = dict(stored)
        arrays["biases"] = arrays["biases"] + 1e-12
        changed = io.BytesIO()
        np.savez(changed, **arrays)
        changed.seek(0)
        with pytest.raises(ValueError, match="hash does not fit"):
            AxisFit.from_npz(changed)

    @pytest.mark.parametrize("content", [b"", b"weights,1,2", b"PK\x03\x04broken"])
    def test_other_files_are_refused(self, content: bytes) -> None:
        with pytest.raises(ValueError, match="not an axis"):
            AxisFit.from_npz(io.BytesIO(content))

    def test_pickles_are_refused(self) -> None:
        file = io.BytesIO()
        np.savez(file, header=np.array([{"a": 1}], object), allow_pickle=True)
        file.seek(0)
        with pytest.raises(ValueError, match="not an axis"):
            AxisFit.from_npz(file)

    def test_vectors_of_another_length_are_refused(self, plate: Plate) -> None:
        with pytest.raises(ValueError, match="32 features"):
            scored(plate).axis.along(plate.vectors[:, :5])

    def test_a_later_screen_with_a_shift_is_anchored_by_its_own_controls(self, plate: Plate) -> None:
        fit = scored(plate).axis
        later = draw(Design(), np.random.default_rng(9))
        shifted = later.vectors + 2
        again = fit.apply(shifted, later.well, later.labels, anchor_again=True)
        assert again.efficacy[later.labels > 0].mean() == pytest.approx(1)
        assert again.efficacy[(later.labels == 0) & (later.truth > 0)].mean() == pytest.approx(1, abs=0.5)


def test_the_direction_is_that_of_the_classes() -> None:
    """With many wells the axis points along the true difference, in whitened and in raw space."""
    plate = draw(Design(controls=200, unseen=0, features=8), np.random.default_rng(0))
    axis = fit_linear_axis(plate.vectors, plate.labels[plate.well], AxisOptions())
    weights, bias = axis.functional
    assert weights @ np.ones(8) / np.sqrt(8) / np.linalg.norm(weights) > 0.98
    np.testing.assert_allclose(
        plate.vectors[:5] @ weights + bias, axis.whiten(plate.vectors[:5]) @ axis.weights + axis.bias, rtol=1e-6
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
    return Plate(vectors, plate.well, plate.labels, plate.truth, plate.names), killed


def _written(fit: AxisFit) -> bytes:
    file = io.BytesIO()
    fit.to_npz(file)
    return file.getvalue()
