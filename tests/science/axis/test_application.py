"""A fitted axis scores later screens, by its own anchors or by those of the later screen."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.axis.application import apply_axis
from gandl_science.axis.cross_fit import score_wells
from gandl_science.axis.provenance import ControlStatus
from gandl_science.axis.scores import WellScores

from tests.science.simulated_plates import Design, Plate, draw


def scored(plate: Plate) -> WellScores:
    return score_wells(plate.vectors, plate.well, plate.labels, plate.folds)


@pytest.fixture(scope="module")
def plate() -> Plate:
    return draw(Design(), np.random.default_rng(0))


def test_other_wells_score_by_the_stored_axis(plate: Plate) -> None:
    """What the fit says of treatments, `apply_axis` says again."""
    scores = scored(plate)
    again = apply_axis(scores.fit, plate.vectors, plate.well, plate.labels)
    unseen = plate.labels == 0
    np.testing.assert_allclose(again.efficacy[unseen], scores.efficacy[unseen], rtol=1e-9)
    np.testing.assert_allclose(again.off, scores.off, rtol=1e-9, atol=1e-9)
    ratio = again.off_distance[unseen] / scores.off_distance[unseen]
    assert np.median(ratio) == pytest.approx(1)  # one whitening against the mean of the folds': close, not equal
    assert np.all(np.abs(ratio - 1) < 0.25)


def test_a_later_screen_with_a_shift_is_anchored_by_its_own_controls(plate: Plate) -> None:
    fit = scored(plate).fit
    later = draw(Design(), np.random.default_rng(9))
    again = apply_axis(fit, later.vectors + 2, later.well, later.labels, anchor_again=True)
    assert again.efficacy[later.labels > 0].mean() == pytest.approx(1)
    assert again.efficacy[(later.labels == 0) & (later.truth > 0)].mean() == pytest.approx(1, abs=0.5)


def test_the_fit_says_what_the_controls_were_and_keeps_the_anchors_that_were_used(plate: Plate) -> None:
    fit = scored(plate).fit
    by_own, by_stored = (
        apply_axis(fit, plate.vectors, plate.well, plate.labels, anchor_again=again, status=status)
        for again, status in ((True, ControlStatus.UNSEEN), (False, ControlStatus.IN_SAMPLE))
    )
    assert (by_own.fit.grouped_by, by_stored.fit.grouped_by) == ("screen", "none")
    assert by_stored.anchors == fit.anchors != by_own.anchors


def test_wells_without_tiles_have_no_score(plate: Plate) -> None:
    fit = scored(plate).fit
    labels = np.append(plate.labels, 0)
    scores = apply_axis(fit, plate.vectors, plate.well, labels)
    assert scores.n_tiles[-1] == 0
    assert np.isnan([scores.on[-1], scores.off[-1], scores.efficacy[-1]]).all()
