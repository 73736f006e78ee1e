"""The fixed protocol by which featurizers are compared on labelled images."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.assay.label_probe import probe_labels
from sklearn.metrics import f1_score

N, GROUPS = 240, 12


def labelled(shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors [N, 6] of three labels of unequal size on 12 groups; each label moves one feature by `shift`."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, N, p=[0.6, 0.3, 0.1])
    vectors = rng.normal(size=(N, 6)).astype(np.float32)
    vectors[np.arange(N), labels] += shift
    return vectors, labels, np.arange(N) % GROUPS


def test_f1_is_that_of_the_pooled_held_out_predictions() -> None:
    vectors, labels, groups = labelled(1.5)
    result = probe_labels(vectors, labels, groups)
    assert result.weighted_f1.value == pytest.approx(f1_score(labels, result.predicted, average="weighted"))
    assert result.macro_f1.value == pytest.approx(f1_score(labels, result.predicted, average="macro"))
    np.testing.assert_allclose(result.f1, f1_score(labels, result.predicted, average=None))
    np.testing.assert_array_equal(result.confusion.sum(axis=1), np.bincount(labels))
    assert (result.folds, result.unseen.any()) == (5, False)
    assert result.weighted_f1.low < result.weighted_f1.value < result.weighted_f1.high


def test_labels_that_are_there_are_read_and_labels_that_are_not_are_not() -> None:
    assert probe_labels(*labelled(6.0)).weighted_f1.value > 0.97
    vectors, labels, groups = labelled(0.0)
    assert probe_labels(vectors, labels, groups).macro_f1.low < 1 / 3


def test_a_group_is_never_in_training_and_test() -> None:
    """Each group has one label and a feature of its own, which helps only those who have seen the group."""
    groups = np.repeat(np.arange(GROUPS), 20)
    labels = groups % 2
    vectors = np.eye(GROUPS)[groups]
    assert probe_labels(vectors, labels, groups).macro_f1.value < 0.6
    assert probe_labels(vectors, labels, np.arange(240)).macro_f1.value > 0.99


def test_the_interval_resamples_groups() -> None:
    """All images of a group are right or wrong together, so the interval is that of 12 draws and not of 240."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(GROUPS), 20)
    labels = np.tile(np.arange(2), 120)
    sign = np.where(np.isin(groups, [0, 5, 9]), -1, 1)
    vectors = (np.where(labels == 1, 1, -1) * sign)[:, None] * 3 + rng.normal(size=(240, 1))
    result = probe_labels(vectors, labels, groups)
    assert result.weighted_f1.value == pytest.approx(0.75, abs=0.02)
    assert result.weighted_f1.high - result.weighted_f1.low > 0.35


def test_a_label_that_only_one_group_has_cannot_be_learned_and_is_marked() -> None:
    vectors, labels, groups = labelled(6.0)
    labels = np.where(groups == 0, 3, labels)
    result = probe_labels(vectors, labels, groups)
    np.testing.assert_array_equal(result.unseen, labels == 3)
    assert result.f1[3] == 0


def test_the_same_vectors_give_the_same_interval_and_one_group_or_label_is_refused() -> None:
    vectors, labels, groups = labelled(1.0)
    assert probe_labels(vectors, labels, groups).macro_f1 == probe_labels(vectors, labels, groups).macro_f1
    for args in ((vectors, labels * 0, groups), (vectors, labels, groups * 0)):
        with pytest.raises(ValueError, match="needs two labels and two groups"):
            probe_labels(*args)
