"""The efficacy axis: a linear SVM between two groups of wells, and every well's place along and off it.

Whatever is fitted (whitening, SVM) is fitted again without each fold of control wells; those wells are scored by the
axis that has not seen them, all other wells by the mean over the axes of all folds. So a treatment and a held-out
control stand on the same scale, and anchors and quality from these scores are unbiased: scaled by the scores that the
training controls get from their own axis, held-out positive controls come out at +0.4 instead of +1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from gandl_analysis.stats import whitening
from gandl_analysis.stats.folds import Folds

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Whiten = Callable[[NDArray[np.floating], Index], whitening.Whitening]

REGULARISATION = 1e-3
"""C of the SVM per whitened tile; flat between 1e-4 and 1e-2 on BBBC013 (docs/axes-and-quality.md)."""

WHITENINGS: dict[str, Whiten] = {
    "within_class": whitening.within_class,
    "negative_controls": lambda vectors, classes: whitening.on_reference(vectors[classes < 0]),
    "none": lambda vectors, _classes: whitening.standardised(vectors),
}


@dataclass(frozen=True)
class Axis:
    """on(x) = w · whiten(x) + b with ‖w‖ = 1; `off` is the unit direction of the Off coordinate, orthogonal to w."""

    whiten: whitening.Whitening
    weights: Float
    bias: float
    off: Float

    def project(self, vectors: NDArray[np.floating]) -> tuple[Float, Float, Float]:
        """(on [N], off [N], remainder [N, F]) of vectors [N, F]; the remainder lies in the separating hyperplane."""
        z = self.whiten(vectors)
        along = z @ self.weights
        remainder = z - along[:, None] * self.weights
        return along + self.bias, remainder @ self.off, remainder

    @property
    def digest(self) -> str:
        """SHA-256 of all numbers, hex."""
        parts = (self.whiten.centre, self.whiten.matrix, self.weights, np.float64(self.bias), self.off)
        return hashlib.sha256(b"".join(np.ascontiguousarray(p).tobytes() for p in parts)).hexdigest()


@dataclass(frozen=True)
class WellScores:
    """Per well, [W]: `on` and `off` are means over its tiles (NaN without tiles), `off_distance` the length of its mean
    remainder from that of the controls, `efficacy` -1 at the mean negative and +1 at the mean positive control."""

    on: Float
    off: Float
    off_distance: Float
    efficacy: Float
    n_tiles: Index
    tiles_right: Index
    axis: Axis

    def tile_accuracy(self, keep: NDArray[np.bool_]) -> float | None:
        """Share of the tiles of the control wells in `keep` [W] on their own side of the axis that has not seen them;
        `tiles_right` is -1 for wells that are no controls. None without such tiles."""
        counted = keep & (self.tiles_right >= 0)
        tiles = int(self.n_tiles[counted].sum())
        return float(self.tiles_right[counted].sum() / tiles) if tiles else None


def score_wells(
    vectors: NDArray[np.float32], well: Index, labels: Index, folds: Folds, *, whiten: str = "within_class"
) -> WellScores:
    """Score all wells of one cell line.

    `vectors` [N, F]; `well` [N] indexes `labels` [W]: +1 positive control, -1 negative control, 0 anything else.
    """
    parts = [_fold_scores(vectors, well, labels, folds.of_well != k, whiten) for k in range(folds.count)]
    mean = np.mean([p.wells for p in parts], axis=0)  # [W, 2]: on, off distance
    right = np.full(len(labels), -1, np.intp)
    for k, part in enumerate(parts):
        held = folds.of_well == k
        mean[held] = part.wells[held]
        hits = (part.tiles > 0) == (labels[well] > 0)
        right[held] = np.bincount(well, hits, minlength=len(labels))[held].astype(np.intp)
    axis = fit_axis(vectors, well, labels, whiten)
    efficacy = _efficacy(mean[:, 0], labels)
    off = well_means(axis.project(vectors)[1][:, None], well, len(labels))[:, 0]
    counts = np.bincount(well, minlength=len(labels))
    return WellScores(mean[:, 0], off, mean[:, 1], efficacy, counts, right, axis)


def fit_axis(vectors: NDArray[np.float32], well: Index, labels: Index, whiten: str) -> Axis:
    """The axis of the tiles of all wells that have a label."""
    keep = labels[well] != 0
    x, y, w = vectors[keep], labels[well[keep]], well[keep]
    white = WHITENINGS[whiten](x, y)
    z = white(x)
    # Squared hinge with dual=False: the hinge takes minutes without converging at this size.
    svm = LinearSVC(C=REGULARISATION, dual=False, class_weight="balanced", tol=1e-6, max_iter=10000).fit(z, y)
    length = float(np.linalg.norm(svm.coef_[0]))
    weights = svm.coef_[0] / length
    remainder = z - np.outer(z @ weights, weights)
    return Axis(white, weights, float(svm.intercept_[0]) / length, _first_component(remainder, w))


def well_means(values: Float, well: Index, count: int) -> Float:
    """Means [W, K] over the tiles of each well of `values` [N, K]; NaN for a well without tiles."""
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, well, values)
    n = np.bincount(well, minlength=count)[:, None]
    return np.divide(sums, n, out=np.full_like(sums, np.nan), where=n > 0)


@dataclass(frozen=True)
class _FoldScores:
    tiles: Float
    wells: Float


def _fold_scores(
    vectors: NDArray[np.float32], well: Index, labels: Index, train: NDArray[np.bool_], whiten: str
) -> _FoldScores:
    axis = fit_axis(vectors, well, np.where(train, labels, 0), whiten)
    on, _, remainder = axis.project(vectors)
    wells = well_means(np.column_stack([on, remainder]), well, len(labels))
    controls = wells[train & (labels != 0), 1:]
    distance = np.linalg.norm(wells[:, 1:] - np.nanmean(controls, axis=0), axis=1)
    return _FoldScores(on, np.column_stack([wells[:, 0], distance]))


def _efficacy(on: Float, labels: Index) -> Float:
    negative, positive = (float(np.nanmean(on[labels == side])) for side in (-1, 1))
    return -1 + 2 * (on - negative) / (positive - negative)


def _first_component(remainder: Float, well: Index) -> Float:
    """First principal direction of the controls' well means, its largest entry positive."""
    means = np.stack([remainder[well == w].mean(axis=0) for w in np.unique(well)])
    direction: Float = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)[2][0]
    signed: Float = direction * np.sign(direction[np.argmax(np.abs(direction))])
    return signed
