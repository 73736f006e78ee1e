"""Distances of wells against those of held-out controls: by hand, and the rate of false calls."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.assay.controls.distances import ControlDistances, control_distances
from scipy.stats import false_discovery_control, t

SEEDS = range(80)


def controls(negative: Float, positive: Float) -> ControlDistances:
    labels = np.repeat([-1, 1], [len(negative), len(positive)])
    result = control_distances(np.concatenate([negative, positive]), labels, labels.astype(float))
    assert result is not None
    return result


BY_HAND = controls(np.exp([-0.5, 0.0, 0.5]), np.exp([1.5, 2.0, 2.5]))


def test_one_well_at_the_negative_pole_by_hand() -> None:
    """Both classes have the variance 0.25, so the pooled one counts, with 2 + 2 degrees of freedom."""
    z = 1.5 / np.sqrt(0.25 * (1 + 1 / 3))
    assert BY_HAND.p_value(np.exp([1.5]), np.array([-1.0])) == pytest.approx(t.sf(z, 4))


def test_the_same_distance_is_usual_at_the_positive_pole() -> None:
    z = (1.5 - 2.0) / np.sqrt(0.25 / 2 + 0.25 / 3)
    assert BY_HAND.p_value(np.exp([1.5, 1.5]), np.array([1.0, 3.0])) == pytest.approx(t.sf(z, 4))


def test_half_way_the_typical_distances_are_averaged() -> None:
    typical = (1 + np.exp(2.0)) / 2
    weight = np.exp(2.0) / 2 / typical
    z = (3 - np.log(typical)) / np.sqrt(0.25 * (1 + (weight**2 + (1 - weight) ** 2) / 3))
    for middle in (0.0, np.nan):
        assert BY_HAND.p_value(np.exp([3.0]), np.array([middle])) == pytest.approx(t.sf(z, 4))


def test_the_limit_follows_the_efficacy() -> None:
    # Median 1, and relative deviations of 0 and 0.39 to 0.65: the median of all six is that of exp(-0.5).
    width = 1 + 3 * 1.4826 * (1 - np.exp(-0.5))
    limits = [BY_HAND.limit(np.array([e])) for e in (-3.0, -1.0, 0.0, 1.0, 1.4)]
    assert limits == pytest.approx(np.array([1, 1, (1 + np.exp(2)) / 2, np.exp(2), np.exp(2)]) * width)


def test_a_dose_that_cannot_be_told_from_the_positive_controls_is_compared_with_them() -> None:
    """With a scatter of 0.5 along the axis, two wells at 0.3 may well be like the positive controls, at 0 not."""
    distances, labels = np.exp([-0.5, 0.0, 0.5, 1.5, 2.0, 2.5]), np.repeat([-1, 1], 3)
    scattered = control_distances(distances, labels, np.array([-1.0, -1, -1, 0.5, 0.5, 1.5]))
    assert scattered is not None
    far = np.exp([3.0, 3.0])
    assert scattered.p_value(far, np.full(2, 0.3)) == pytest.approx(BY_HAND.p_value(far, np.ones(2)))
    assert scattered.limit(np.full(2, 0.3)) == pytest.approx(scattered.positive.limit)
    assert scattered.p_value(far, np.zeros(2)) == pytest.approx(BY_HAND.p_value(far, np.zeros(2)))
    assert scattered.limit(np.zeros(2)) < scattered.positive.limit


def test_three_controls_or_one_of_a_class_set_nothing() -> None:
    assert control_distances(np.ones(3), np.array([1, -1, -1]), np.ones(3)) is None
    assert control_distances(np.ones(9), np.repeat([1, -1], [1, 8]), np.ones(9)) is None
    assert control_distances(np.r_[np.ones(3), np.nan], np.array([1, 1, -1, -1]), np.ones(4)) is None


def test_one_spoilt_control_does_not_hide_a_toxin() -> None:
    rng = np.random.default_rng(1)
    negative, positive = np.sqrt(rng.chisquare(5, (2, 12)))
    far, toxic = np.r_[negative[:-1], 50.0], np.full(2, 12.0)
    assert controls(far, positive).p_value(toxic, -np.ones(2)) < 1e-3


def test_equal_distances_make_no_certainty() -> None:
    assert controls(np.ones(4), np.ones(4)).p_value(np.array([1.1]), np.array([-1.0])) > 0.1


def test_it_is_read_back_from_its_record() -> None:
    assert ControlDistances.parse(BY_HAND.record()) == BY_HAND


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", BY_HAND.record().replace('"n": 3', '"n": 0'), BY_HAND.record().replace("0.5", "NaN")]
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        ControlDistances.parse(text)


@pytest.mark.parametrize("scale", [1.0, 3.0], ids=["equal classes", "positives three times as far"])
@pytest.mark.parametrize("n", [4, 8, 32])
def test_few_inert_compounds_and_few_mimics_are_called(n: int, scale: float) -> None:
    """Distances in five directions, two wells each; mimics are as far as the positive controls.

    Of 4,000 single tests at 5 % at most 7 % may call one, and of 160 families of 25 without any toxin at most 5 % may
    name one.
    """
    singles, families = [], []
    for seed in SEEDS:
        rng = np.random.default_rng([seed, n])
        negative, positive = np.sqrt(rng.chisquare(5, (2, n)))
        screen = controls(negative, positive * scale)
        for pole, factor in ((-1.0, 1.0), (1.0, scale)):
            distances = factor * np.sqrt(rng.chisquare(5, (25, 2)))
            p_values = np.array([screen.p_value(d, np.full(2, pole)) for d in distances])
            singles.append(np.mean(p_values <= 0.05))
            families.append((false_discovery_control(p_values) <= 0.05).any())
    assert np.mean(singles) <= 0.07
    assert np.mean(families) <= 0.05


@pytest.mark.parametrize("n", [2, 3, 8])
def test_distances_are_read_as_they_were_stored(n: int) -> None:
    """An axis is known by the hash of this text, so a 6 must not come back as 6.0."""
    distances = controls(np.exp(np.linspace(-0.5, 0.5, n)), np.exp(np.linspace(1.5, 2.5, n)))
    assert ControlDistances.parse(distances.record()).record() == distances.record()
