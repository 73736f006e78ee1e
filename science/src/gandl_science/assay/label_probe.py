"""The label probe: how well a linear classifier reads labels off vectors, on groups of images that it has not seen.

The protocol is fixed, so that featurizers compare: each feature standardised by the training images, multinomial
logistic regression (C = 0.01, classes weighted equally), five folds that never divide a group such as a plate, and F1
over all held-out predictions. Intervals resample groups, because the images of a plate are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gandl_science.arrays import Float, Index, Mask, Vectors

FOLDS = 5
REGULARISATION = 0.01
RESAMPLES = 1000
_MAX_ITERATIONS = 2000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class LabelProbe:
    """The result for K labels.

    `weighted_f1` weights the F1 of each label by its images and `macro_f1` does not. `confusion` [K, K] counts images
    by true (rows) and predicted (columns) label. `unseen` [N] marks images that were predicted by a classifier whose
    training images had no such label, so that they could not be right.
    """

    weighted_f1: Estimate
    macro_f1: Estimate
    confusion: Index
    predicted: Index
    unseen: Mask
    folds: int

    @property
    def f1(self) -> Float:
        """The F1 of each label [K]."""
        return _f1(np.diag(self.confusion), self.confusion.sum(axis=1), self.confusion.sum(axis=0))


def probe_labels(vectors: Vectors, labels: Index, groups: Index, *, seed: int = 0) -> LabelProbe:
    """Probe vectors [N, F] with labels [N], numbers from 0 to K - 1, and groups [N], numbers from 0.

    Raises ValueError for vectors that are not finite, with fewer than two labels or groups, and where the training
    images of a fold have one label only. `seed` is that of the bootstrap.
    """
    n_groups = np.unique(groups).size
    if np.unique(labels).size < 2 or n_groups < 2:
        raise ValueError("the label probe needs two labels and two groups")
    folds = min(FOLDS, n_groups)
    predicted, unseen = np.empty_like(labels), np.zeros(len(labels), bool)
    for training, test in GroupKFold(folds).split(vectors, labels, groups):
        predicted[test] = _predictions(vectors[training], labels[training], vectors[test])
        unseen[test] = ~np.isin(labels[test], labels[training])
    count = int(labels.max()) + 1
    confusion = np.zeros((count, count), np.intp)
    np.add.at(confusion, (labels, predicted), 1)
    weighted, macro = _estimates(labels, predicted, groups, count, np.random.default_rng(seed))
    return LabelProbe(
        weighted_f1=weighted,
        macro_f1=macro,
        confusion=confusion,
        predicted=predicted,
        unseen=unseen,
        folds=folds,
    )


def _predictions(training: Vectors, labels: Index, test: Vectors) -> Index:
    classifier = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=REGULARISATION, class_weight="balanced", max_iter=_MAX_ITERATIONS),
    )
    # In float64, because the sums of a float32 fit depend on the processor.
    classifier.fit(training.astype(np.float64), labels)
    return np.asarray(classifier.predict(test.astype(np.float64)), np.intp)


def _estimates(
    labels: Index, predicted: Index, groups: Index, count: int, rng: np.random.Generator
) -> tuple[Estimate, Estimate]:
    """Return weighted and macro F1 with their intervals: groups are drawn with replacement, as many as there are."""
    names, group = np.unique(groups, return_inverse=True)
    hits = labels == predicted
    right = _counts(labels[hits], group[hits], len(names), count)
    true, calls = (_counts(each, group, len(names), count) for each in (labels, predicted))
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    resampled = _averages(draws @ right, draws @ true, draws @ calls)
    values = _averages(right.sum(axis=0)[None], true.sum(axis=0)[None], calls.sum(axis=0)[None])
    weighted, macro = (_estimate(float(value[0]), many) for value, many in zip(values, resampled, strict=True))
    return weighted, macro


def _counts(labels: Index, group: Index, n_groups: int, count: int) -> Index:
    """Return how many images of each group have each label [G, K]."""
    table = np.zeros((n_groups, count), np.intp)
    np.add.at(table, (group, labels), 1)
    return table


def _averages(right: Index, true: Index, calls: Index) -> tuple[Float, Float]:
    """Return weighted and macro F1 [R] of counts [R, K]; a label that no image has does not count."""
    f1, present = _f1(right, true, calls), true > 0
    weighted: Float = (f1 * true).sum(axis=1) / true.sum(axis=1)
    macro: Float = (f1 * present).sum(axis=1) / present.sum(axis=1)
    return weighted, macro


def _f1(right: Index, true: Index, calls: Index) -> Float:
    """Return 2 TP / (2 TP + FP + FN), 0 for a label that is neither true nor predicted anywhere."""
    total = true + calls
    f1: Float = np.divide(2.0 * right, total, out=np.zeros(total.shape), where=total > 0)
    return f1


def _estimate(value: float, resampled: Float) -> Estimate:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high))
