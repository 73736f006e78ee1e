"""Unseen controls are at -1 and +1, and random labels give chance, on average over simulated plates.

The tables of docs/axes-and-quality.md (benchmarks/analysis/axes.py) show the same over more plates and features.
"""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import group_means
from gandl_science.assay.separation import roc_auc, z_prime
from gandl_science.axis.anchors import control_anchors
from gandl_science.axis.cross_fit import fit_linear_axis, score_wells
from gandl_science.axis.folds import grouped_folds
from gandl_science.axis.provenance import HeldOut
from gandl_science.positions import Positions
from numpy.typing import NDArray

from tests.science.simulated_plates import Design, Plate, draw

PLATES = 200


_LONG = [pytest.param(controls, PLATES, marks=pytest.mark.slow) for controls in (16, 60, 200)]


@pytest.mark.parametrize(("controls", "plates"), [(16, 100), (60, 40), *_LONG])
def test_unseen_controls_are_at_minus_one_and_plus_one(controls: int, plates: int) -> None:
    """The mean is within 0.1. With an effect of 4 spreads, the anchors of 16 wells have an error of a tenth."""
    design = Design(controls=controls, unseen=8, features=32, tiles=4, effect=4.0)
    both = [_efficacies(draw(design, np.random.default_rng(seed))) for seed in range(plates)]
    ours, naive = (np.mean([b[i] for b in both], axis=0) for i in (0, 1))
    assert ours == pytest.approx([-1, 1], abs=0.1)
    # Scaled by the scores of the training wells themselves, unseen wells fall short. This is the bias to avoid.
    assert naive[1] - naive[0] < ours[1] - ours[0]
    if controls == 16:
        assert naive[1] < 0.9


def test_random_labels_give_chance() -> None:
    """Accuracy and ROC AUC are those of a coin and Z′ is far below zero, over 60 plates of 24 control wells."""
    metrics = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        plate = draw(Design(controls=24, unseen=0, effect=0.0, tiles=4), rng)
        scores = score_wells(plate.vectors, plate.well, plate.labels, plate.folds)
        positive, negative = scores.on[plate.labels > 0], scores.on[plate.labels < 0]
        metrics.append(
            (scores.tile_accuracy(plate.labels != 0), roc_auc(positive, negative), z_prime(positive, negative))
        )
    accuracy, auc, z = np.array(metrics, float).T
    # Three standard errors of the mean over 60 plates.
    assert accuracy.mean() == pytest.approx(0.5, abs=3 * accuracy.std() / np.sqrt(60))
    assert auc.mean() == pytest.approx(0.5, abs=3 * auc.std() / np.sqrt(60))
    assert np.median(z) < -3
    assert accuracy.mean() > 0.45


def test_plate_effects_do_not_stretch_the_scale() -> None:
    """On four plates with strong shifts and an effect that differs by plate, unseen positives are at +1.

    With plates held out they would come out too high (docs/axes-and-quality.md).
    """
    efficacies = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        plates = [draw(Design(controls=16, unseen=6, features=32, tiles=4, effect=4.0), rng) for _ in range(4)]
        shifts = rng.normal(size=(4, 32))
        vectors = [p.vectors + s + _interaction(p, rng) for p, s in zip(plates, shifts, strict=True)]
        labels, truth = (np.concatenate([getattr(p, n) for p in plates]) for n in ("labels", "truth"))
        well = np.concatenate([p.well + i * len(p.labels) for i, p in enumerate(plates)])
        positions = Positions(
            plates=[str(i) for i, p in enumerate(plates) for _ in p.labels],
            rows=np.concatenate([p.positions.rows for p in plates]),
            columns=np.concatenate([p.positions.columns for p in plates]),
        )
        folds = grouped_folds(positions, labels)
        assert folds is not None and folds.held_out is HeldOut.ROW
        efficacy = score_wells(np.concatenate(vectors), well, labels, folds).efficacy
        efficacies.append([efficacy[(labels == 0) & (truth == side)].mean() for side in (-1, 1)])
    assert np.mean(efficacies, axis=0) == pytest.approx([-1, 1], abs=0.1)


def _interaction(plate: Plate, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the shifts of tiles by which the classes of this plate differ in a direction of its own."""
    direction = rng.normal(size=plate.vectors.shape[1]) / np.sqrt(plate.vectors.shape[1])
    shift: NDArray[np.float64] = plate.truth[plate.well][:, None] * direction
    return shift


def _efficacies(plate: Plate) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean efficacies of unseen negative and positive wells: ours, and scaled by in-sample scores."""
    ours = score_wells(plate.vectors, plate.well, plate.labels, plate.folds).efficacy
    tiles = plate.labels[plate.well] != 0
    axis = fit_linear_axis(plate.vectors[tiles], plate.labels[plate.well[tiles]])
    weights, bias = axis.functional
    on = group_means((plate.vectors @ weights + bias)[:, None], plate.well, len(plate.labels))[:, 0]
    naive = control_anchors(on, plate.labels).efficacy(on)
    unseen = [(plate.labels == 0) & (plate.truth == side) for side in (-1, 1)]
    return np.array([ours[u].mean() for u in unseen]), np.array([naive[u].mean() for u in unseen])
