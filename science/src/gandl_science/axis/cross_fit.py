"""The axis between two groups of wells: a linear SVM on whitened tiles, and every well's place along and off it.

Whatever is fitted (whitening, SVM, expected remainders) is fitted again without each fold of labelled wells; those
wells are scored by the axis that has not seen them, all other wells by the mean of the axes of all folds. So a
treatment and a held-out control stand on the same scale, and anchors and quality from these scores are unbiased.
Scaled by the scores that the training controls get from their own axis, held-out positive controls come out far below
+1; scored by one axis fitted on all controls, treatments come out a few per cent too far from zero
(docs/axes-and-quality.md).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from gandl_science.arrays import group_means, projections
from gandl_science.assay.accuracy import share_right
from gandl_science.axis.anchors import Anchors, control_anchors
from gandl_science.axis.fitted import AxisFit, OffAxis
from gandl_science.axis.folds import Folds
from gandl_science.axis.residual import WellScatter, first_component, off_reference, remainder_of, well_scatter
from gandl_science.axis.whitening import WHITENINGS, Whitening

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Vectors = NDArray[np.floating]

THREADS = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)
"""Folds fitted at a time; each holds a copy of its training tiles, so not as many as a large machine has cores."""
REGULARISATION = 1e-3
"""C of the SVM per whitened tile; flat between 1e-4 and 1e-2 on BBBC013 (docs/axes-and-quality.md)."""


@dataclass(frozen=True)
class AxisOptions:
    """How an axis is fitted. `whiten` is a name of WHITENINGS; `name` ends up in the stored fit."""

    whiten: str = "within_class"
    regularisation: float = REGULARISATION
    name: str = "E2"


@dataclass(frozen=True)
class LinearAxis:
    """One SVM: on(x) = w · whiten(x) + b with ‖w‖ = 1; `weights` [F] are of whitened space."""

    whiten: Whitening
    weights: Float
    bias: float

    @property
    def functional(self) -> tuple[Float, float]:
        """The same as weights [F] and bias on vectors as they are."""
        weights: Float = self.whiten.matrix @ self.weights
        return weights, self.bias - float(self.whiten.centre @ weights)


@dataclass(frozen=True)
class WellScores:
    """Scores of N tiles and W wells: out of fold for labelled wells, the mean over the folds' axes for all others.

    `on`, `off` [W] are means over a well's tiles (NaN without tiles); `off_distance` [W] is the distance of its mean
    remainder from what is expected at its efficacy, in units of the median of the held-out controls; `efficacy` [W] is
    -1 at the mean negative and +1 at the mean positive control (NaN everywhere if these are not separated).
    """

    on: Float
    off: Float
    off_distance: Float
    efficacy: Float
    n_tiles: Index
    tiles_right: Index
    tile_on: Float
    axis: AxisFit

    @property
    def anchors(self) -> Anchors:
        """Out-of-fold anchors."""
        return self.axis.anchors

    def tile_accuracy(self, keep: NDArray[np.bool_]) -> float | None:
        """Share of the tiles of the labelled wells in `keep` [W] on their own side of the axis that has not seen them;
        `tiles_right` is -1 for other wells. None without such tiles."""
        return share_right(self.tiles_right, self.n_tiles, keep)


@dataclass(frozen=True)
class HeldOutScores:
    """Scores along the axis alone: `axes` without each fold, and by them what `WellScores` has under the same names."""

    axes: Sequence[LinearAxis]
    on: Float
    n_tiles: Index
    tiles_right: Index
    tile_on: Float


def held_out_scores(vectors: Vectors, well: Index, labels: Index, folds: Folds, how: AxisOptions) -> HeldOutScores:
    """Arguments and errors as of `score_wells`."""
    if not np.isfinite(vectors).all():
        raise ValueError("vectors hold NaN or infinite numbers")
    axes = _fold_axes(_Tiles(vectors, well, labels), folds, how)
    weights, biases = (np.stack(parts) for parts in zip(*(axis.functional for axis in axes), strict=True))
    tile_on = _tile_scores(vectors, weights, biases, folds.of_well[well])
    on = group_means(tile_on[:, None], well, len(labels))[:, 0]
    counts = np.bincount(well, minlength=len(labels))
    return HeldOutScores(axes, on, counts, _tiles_right(tile_on, well, labels), tile_on)


def score_wells(
    vectors: Vectors,
    well: Index,
    labels: Index,
    folds: Folds,
    *,
    whiten: str = "within_class",
    options: AxisOptions | None = None,
) -> WellScores:
    """Fit the axis of one set of wells and score them all.

    `vectors` [N, F]; `well` [N] indexes `labels` [W]: +1 and -1 for the classes of the axis, 0 for anything else;
    `folds` of the labelled wells. `options` wins over `whiten`. Raises ValueError for vectors that are not finite.
    """
    how = options or AxisOptions(whiten)
    scores = held_out_scores(vectors, well, labels, folds, how)
    weights, biases = (np.stack(parts) for parts in zip(*(axis.functional for axis in scores.axes), strict=True))
    anchors = control_anchors(scores.on, labels)
    efficacy = anchors.efficacy(scores.on)
    means = group_means(vectors, well, len(labels))
    scatter = well_scatter(means, efficacy)
    distance = _held_out(_distances(scores.axes, means, efficacy, labels, folds, scatter), folds.of_well)
    distance = distance / _typical(distance[labels != 0])
    off_axis = _off_axis(_Tiles(vectors, well, labels), weights.mean(axis=0), means, efficacy, scatter, how)
    # The stored axis has seen all controls; on the other wells it is made to agree with the folds' axes.
    unit = _typical((off_axis.distance(means, efficacy) / np.where(distance > 0, distance, np.nan))[labels == 0])
    off_axis = replace(off_axis, unit=unit)
    fit = AxisFit(how.name, how.whiten, how.regularisation, folds.level, weights, biases, anchors, off_axis)
    off = off_axis.coordinate(means)
    return WellScores(scores.on, off, distance, efficacy, scores.n_tiles, scores.tiles_right, scores.tile_on, fit)


def applied(
    fit: AxisFit, vectors: Vectors, well: Index, labels: Index, *, anchor_again: bool = False, level: str | None = None
) -> WellScores:
    """Scores by an axis that is there already; arguments as of `AxisFit.apply`. `level` says what the labelled wells
    are to the axis (`SCREEN`: unseen, `IN_SAMPLE`: those it was fitted on); the fit's own if absent. The fit returned
    has the anchors that were used.
    """
    found = fit.apply(vectors, well, labels, anchor_again=anchor_again)
    used = replace(fit, anchors=found.anchors, level=level or fit.level)
    counts = np.bincount(well, minlength=len(labels))
    right = _tiles_right(found.tile_on, well, labels)
    return WellScores(found.on, found.off, found.off_distance, found.efficacy, counts, right, found.tile_on, used)


def fit_linear_axis(vectors: Vectors, classes: Index, how: AxisOptions) -> LinearAxis:
    """The axis of tiles [N, F] of two classes [N] (+1, -1), all of which are seen by the fit."""
    white = WHITENINGS[how.whiten](vectors, classes)
    # Squared hinge with dual=False: the hinge takes a minute without converging at 32,000 x 512.
    svm = LinearSVC(C=how.regularisation, dual=False, class_weight="balanced", tol=1e-6, max_iter=10_000)
    svm.fit(white(vectors), classes)
    length = float(np.linalg.norm(svm.coef_[0]))
    # Features without any difference between the classes give no direction: everything scores zero.
    if length == 0:
        return LinearAxis(white, np.zeros_like(svm.coef_[0]), 0.0)
    return LinearAxis(white, svm.coef_[0] / length, float(svm.intercept_[0]) / length)


@dataclass(frozen=True)
class _Tiles:
    """Vectors [N, F], the well [N] of each, and the labels [W] of the wells."""

    vectors: Vectors
    well: Index
    labels: Index

    def of(self, wells: NDArray[np.bool_]) -> tuple[Vectors, Index]:
        """Vectors and labels of the tiles of the labelled ones of `wells` [W]."""
        keep = (wells & (self.labels != 0))[self.well]
        return self.vectors[keep], self.labels[self.well[keep]]


def _fold_axes(tiles: _Tiles, folds: Folds, how: AxisOptions) -> list[LinearAxis]:
    """The axis fitted without each fold, several at a time: the libraries let go of the interpreter's lock."""
    training = ((folds.of_well >= 0) & (folds.of_well != k) for k in range(folds.count))
    with ThreadPoolExecutor(min(THREADS, folds.count)) as pool:
        return list(pool.map(lambda wells: fit_linear_axis(*tiles.of(wells), how), training))


def _tile_scores(vectors: Vectors, weights: Float, biases: Float, fold: Index) -> Float:
    """Scores [N] of tiles: by the axis of their own `fold` [N], or for those in none by the mean axis. Computed as
    `AxisFit.along` does, so that the stored axis gives these tiles the same bits."""
    mean = projections(vectors, weights.mean(axis=0)[None], biases.mean()[None])[:, 0]
    seen = np.flatnonzero(fold >= 0)
    mean[seen] = projections(vectors[seen], weights, biases)[np.arange(len(seen)), fold[seen]]
    return mean


def _held_out(values: Float, fold: Index) -> Float:
    """One value [N] of `values` [N, K] by the K fold axes: that of a row's own fold, the mean for rows in no fold."""
    own = values[np.arange(len(values)), np.maximum(fold, 0)]
    chosen: Float = np.where(fold >= 0, own, values.mean(axis=1))
    return chosen


def _distances(
    axes: Sequence[LinearAxis], means: Float, efficacy: Float, labels: Index, folds: Folds, scatter: WellScatter
) -> Float:
    """Off distances [W, K] of wells' mean vectors [W, F] by each fold's axis and its training controls."""
    columns = []
    for k, axis in enumerate(axes):
        remainder = remainder_of(axis.whiten, axis.weights)
        reference = off_reference(remainder, means, efficacy, np.where(folds.of_well != k, labels, 0), scatter)
        columns.append(reference.distance(remainder.along(means, reference.basis), efficacy))
    return np.stack(columns, axis=1)


def _off_axis(
    tiles: _Tiles, weights: Float, means: Float, efficacy: Float, scatter: WellScatter, how: AxisOptions
) -> OffAxis:
    """Whitening by all controls, in which the mean functional `weights` [F] becomes the axis that is split off."""
    controls = tiles.labels != 0
    white = WHITENINGS[how.whiten](*tiles.of(controls))
    axis = np.linalg.solve(white.matrix, weights).astype(np.float64)
    axis /= float(np.linalg.norm(axis)) or 1.0
    remainder = remainder_of(white, axis)
    lying = remainder(means[controls])
    direction = first_component(lying)
    reference = off_reference(remainder, means, efficacy, tiles.labels, scatter)
    return OffAxis(white, axis, direction, float(np.nanmean(lying @ direction)), reference, 1.0)


def _typical(values: Float) -> float:
    """The median of the positive ones; 1 where there is none, so that nothing is divided by zero."""
    known = values[np.isfinite(values) & (values > 0)]
    return float(np.median(known)) if len(known) else 1.0


def _tiles_right(tile_on: Float, well: Index, labels: Index) -> Index:
    """Tiles on their own side per labelled well [W]; -1 for other wells."""
    right = np.bincount(well, (tile_on > 0) == (labels[well] > 0), minlength=len(labels)).astype(np.intp)
    return np.where(labels != 0, right, -1)
