"""The axis between two groups of wells, fitted out of fold: a linear SVM on whitened tiles.

Everything that is fitted (whitening, SVM, expected residuals) is fitted again without each fold of labelled wells.
Those wells are scored by the axis that was fitted without them, and all other wells by the mean of the axes of all
folds. Treatments and held-out controls are therefore on the same scale, and anchors and quality metrics from these
scores are unbiased. If training controls were scaled by the scores of their own axis, held-out positive controls would
come out far below +1; if one axis were fitted on all controls, treatments would come out a few per cent too far from
zero (docs/axes-and-quality.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.svm import LinearSVC

from gandl_science.arrays import Float, Index, Mask, Vectors, group_means, projections
from gandl_science.axis.anchors import control_anchors
from gandl_science.axis.fitted import AxisFit, OffAxis
from gandl_science.axis.folds import Folds
from gandl_science.axis.linear.joint import JointProblem, fit_jointly
from gandl_science.axis.linear.moments import FoldWhitenings, fold_whitenings
from gandl_science.axis.linear.whitening import WHITENINGS, Whitening
from gandl_science.axis.provenance import ControlStatus
from gandl_science.axis.residual import WellScatter, first_component, off_reference, residual_of, well_scatter
from gandl_science.axis.scores import WellScores, count_tiles_right
from gandl_science.threads import map_parts

MIN_JOINT_NUMBERS = 16_000_000
"""From so many numbers in the labelled tiles on, all folds are fitted together, in an eighth of the time and memory."""
REGULARISATION = 1e-3
"""C of the SVM per whitened tile. Results are flat between 1e-4 and 1e-2 on BBBC013 (docs/axes-and-quality.md)."""


@dataclass(frozen=True, kw_only=True)
class AxisOptions:
    """How an axis is fitted. `whitening` is a name of WHITENINGS; `regularisation` is C of the SVM per tile."""

    whitening: str = "within_class"
    regularisation: float = REGULARISATION


DEFAULT_OPTIONS = AxisOptions()


@dataclass(frozen=True, kw_only=True)
class LinearAxis:
    """One SVM: on(x) = w · whitening(x) + b with ‖w‖ = 1. The `weights` [F] belong to whitened space."""

    whitening: Whitening
    weights: Float
    bias: float

    @property
    def functional(self) -> tuple[Float, float]:
        """The same axis as weights [F] and bias on vectors that are not whitened."""
        weights: Float = self.whitening.matrix @ self.weights
        return weights, self.bias - float(self.whitening.centre @ weights)


@dataclass(frozen=True, kw_only=True)
class HeldOutScores:
    """Scores along the axis alone, and the `axes` that were fitted without each fold.

    `shared` has the whitenings of large problems. The other fields are those of `WellScores`.
    """

    axes: Sequence[LinearAxis]
    on: Float
    n_tiles: Index
    tiles_right: Index
    tile_on: Float
    shared: FoldWhitenings | None = None

    @property
    def functionals(self) -> tuple[Float, Float]:
        """The weights [K, F] and biases [K] of the folds' axes on vectors that are not whitened."""
        return _functionals(self.axes)


def held_out_scores(
    vectors: Vectors, well: Index, labels: Index, folds: Folds, options: AxisOptions = DEFAULT_OPTIONS
) -> HeldOutScores:
    """Fit and score as `score_wells` does, without anything across the axis. Arguments and errors are the same."""
    if not np.isfinite(vectors).all():
        raise ValueError("vectors hold NaN or infinite numbers")
    fitted = _fold_axes(_Tiles(vectors=vectors, well=well, labels=labels), folds, options)
    axes = fitted.axes
    # Functionals on vectors as they are score tiles for all folds at once, without whitening them for each fold.
    weights, biases = _functionals(axes)
    tile_on = _tile_scores(vectors, weights, biases, folds.of_well[well])
    return HeldOutScores(
        axes=axes,
        on=group_means(tile_on[:, None], well, len(labels))[:, 0],
        n_tiles=np.bincount(well, minlength=len(labels)),
        tiles_right=count_tiles_right(tile_on, well, labels),
        tile_on=tile_on,
        shared=fitted.shared,
    )


def score_wells(
    vectors: Vectors,
    well: Index,
    labels: Index,
    folds: Folds,
    options: AxisOptions = DEFAULT_OPTIONS,
    *,
    name: str = "E2",
) -> WellScores:
    """Fit the axis between the labelled wells and score all wells.

    `vectors` is [N, F]; `well` [N] indexes `labels` [W], which are +1 and -1 for the classes of the axis and 0 for
    other wells; `folds` divide the labelled wells. `name` is the name of the fit. Raises ValueError for vectors that
    are not finite.
    """
    scores = held_out_scores(vectors, well, labels, folds, options)
    weights, biases = scores.functionals
    anchors = control_anchors(scores.on, labels)
    efficacy = anchors.efficacy(scores.on)
    # Residuals are linear too: the mean residual of a well is the residual of its mean vector.
    means = group_means(vectors, well, len(labels))
    scatter = well_scatter(means, efficacy)
    distance = _held_out(_distances(scores.axes, means, efficacy, labels, folds, scatter), folds.of_well)
    # The unit is the typical held-out control, so that distances of different screens can be compared.
    distance = distance / _median_of_positive(distance[labels != 0])
    tiles = _Tiles(vectors=vectors, well=well, labels=labels)
    whitening = _whole_whitening(tiles, folds, scores.shared, options)
    off_axis = _off_axis(whitening, labels, weights.mean(axis=0), means, efficacy, scatter)
    # The stored axis was fitted on all controls, so its own distances of controls are too small. On the other wells
    # its unit is chosen so that it agrees with the axes of the folds.
    ratio = off_axis.distance(means, efficacy) / np.where(distance > 0, distance, np.nan)
    fit = AxisFit(
        name=name,
        whitening=options.whitening,
        regularisation=options.regularisation,
        held_out=folds.held_out,
        control_status=ControlStatus.HELD_OUT,
        weights=weights,
        biases=biases,
        anchors=anchors,
        off_axis=replace(off_axis, unit=_median_of_positive(ratio[labels == 0])),
    )
    return WellScores(
        on=scores.on,
        off=off_axis.coordinate(means),
        off_distance=distance,
        efficacy=efficacy,
        n_tiles=scores.n_tiles,
        tiles_right=scores.tiles_right,
        tile_on=scores.tile_on,
        fit=fit,
    )


def fit_linear_axis(vectors: Vectors, classes: Index, options: AxisOptions = DEFAULT_OPTIONS) -> LinearAxis:
    """Fit the axis between tiles [N, F] of two classes [N] (+1, -1) on all of them."""
    whitening = WHITENINGS[options.whitening](vectors, classes)
    if vectors.size >= MIN_JOINT_NUMBERS:
        return _fitted_together(vectors, classes, np.ones((len(classes), 1), bool), [whitening], options)[0]
    # Squared hinge with dual=False: the hinge takes a minute without converging at 32,000 x 512.
    svm = LinearSVC(C=options.regularisation, dual=False, class_weight="balanced", tol=1e-6, max_iter=10_000)
    svm.fit(whitening(vectors), classes)
    return _unit_axis(whitening, svm.coef_[0], float(svm.intercept_[0]))


def _unit_axis(whitening: Whitening, weights: Float, bias: float) -> LinearAxis:
    length = float(np.linalg.norm(weights))
    # Features without any difference between the classes give no direction: everything scores zero.
    if length == 0:
        return LinearAxis(whitening=whitening, weights=np.zeros_like(weights), bias=0.0)
    return LinearAxis(whitening=whitening, weights=weights / length, bias=bias / length)


@dataclass(frozen=True, kw_only=True)
class _Tiles:
    """Vectors [N, F], the well [N] of each, and the labels [W] of the wells."""

    vectors: Vectors
    well: Index
    labels: Index

    def labelled(self, wells: Mask) -> tuple[Vectors, Index]:
        """Return vectors and labels of the tiles of those of `wells` [W] that have a label."""
        keep = (wells & (self.labels != 0))[self.well]
        return self.vectors[keep], self.labels[self.well[keep]]


def _functionals(axes: Sequence[LinearAxis]) -> tuple[Float, Float]:
    functionals = [axis.functional for axis in axes]
    return np.stack([weights for weights, _ in functionals]), np.stack([bias for _, bias in functionals])


@dataclass(frozen=True, kw_only=True)
class _FoldAxes:
    """The axis without each fold, and their whitenings where these were computed together."""

    axes: Sequence[LinearAxis]
    shared: FoldWhitenings | None = None


def _fold_axes(tiles: _Tiles, folds: Folds, options: AxisOptions) -> _FoldAxes:
    """Fit the axis without each fold, several at a time, as the libraries release the lock of the interpreter."""
    if np.count_nonzero(tiles.labels[tiles.well]) * tiles.vectors.shape[1] >= MIN_JOINT_NUMBERS:
        return _joint_axes(tiles, folds, options)

    def fit_without(fold: int) -> LinearAxis:
        training_wells = (folds.of_well >= 0) & (folds.of_well != fold)
        return fit_linear_axis(*tiles.labelled(training_wells), options)

    return _FoldAxes(axes=map_parts(fit_without, range(folds.count)))


def _joint_axes(tiles: _Tiles, folds: Folds, options: AxisOptions) -> _FoldAxes:
    """Fit the axes without each fold by passes over the tiles that serve all of them; the axes are the same."""
    vectors, classes = tiles.labelled(folds.of_well >= 0)
    fold = folds.of_well[tiles.well[(tiles.labels[tiles.well] != 0) & (folds.of_well[tiles.well] >= 0)]]
    training = fold[:, None] != np.arange(folds.count)
    shared: FoldWhitenings | None = None
    if options.whitening == "within_class":
        shared = fold_whitenings(vectors, classes, fold, folds.count)
    if shared is not None:
        whitenings: Sequence[Whitening] = shared.without
    else:
        fit = WHITENINGS[options.whitening]
        whitenings = [fit(vectors[own], classes[own]) for own in training.T]
    axes = _fitted_together(vectors, classes, training, whitenings, options)
    return _FoldAxes(axes=axes, shared=shared)


def _fitted_together(
    vectors: Vectors, classes: Index, training: Mask, whitenings: Sequence[Whitening], options: AxisOptions
) -> list[LinearAxis]:
    problem = JointProblem(
        vectors=vectors,
        classes=classes,
        training=training,
        whitenings=whitenings,
        regularisation=options.regularisation,
    )
    weights, biases = fit_jointly(problem)
    columns = zip(whitenings, weights, biases.tolist(), strict=True)
    return [_unit_axis(whitening, w, b) for whitening, w, b in columns]


def _tile_scores(vectors: Vectors, weights: Float, biases: Float, fold: Index) -> Float:
    """Return the scores [N] of tiles: by the axis of their own `fold` [N], or by the mean axis without one."""
    # The same operations as in `AxisFit.along`, so that the stored axis gives these tiles the same bits.
    tile_on = projections(vectors, weights.mean(axis=0)[None], biases.mean()[None])[:, 0]
    labelled = np.flatnonzero(fold >= 0)
    by_fold = projections(vectors[labelled], weights, biases)
    tile_on[labelled] = by_fold[np.arange(len(labelled)), fold[labelled]]
    return tile_on


def _held_out(values: Float, fold: Index) -> Float:
    """Return one of the `values` [N, K] of K fold axes per row: that of its own fold, or the mean for rows in none."""
    # Rows in no fold take the value of fold 0 here and are replaced by the mean below.
    own = values[np.arange(len(values)), np.maximum(fold, 0)]
    held_out: Float = np.where(fold >= 0, own, values.mean(axis=1))
    return held_out


def _distances(
    axes: Sequence[LinearAxis], means: Float, efficacy: Float, labels: Index, folds: Folds, scatter: WellScatter
) -> Float:
    """Return off-axis distances [W, K] of mean vectors [W, F] by each fold's axis and its training controls."""

    def distances_of(fold: int) -> Float:
        residual = residual_of(axes[fold].whitening, axes[fold].weights)
        # The left-out wells must not shape the reference that they are measured by.
        training_labels = np.where(folds.of_well != fold, labels, 0)
        reference = off_reference(residual, means, efficacy, training_labels, scatter)
        return reference.distance(residual.along(means, reference.basis), efficacy)

    return np.stack(map_parts(distances_of, range(len(axes))), axis=1)


def _whole_whitening(tiles: _Tiles, folds: Folds, shared: FoldWhitenings | None, options: AxisOptions) -> Whitening:
    """Return the whitening by all labelled tiles: the one of all folds, unless a labelled well is in none."""
    labelled = tiles.labels != 0
    if shared is not None and bool((folds.of_well[labelled] >= 0).all()):
        return shared.whole
    return WHITENINGS[options.whitening](*tiles.labelled(labelled))


def _off_axis(
    whitening: Whitening, labels: Index, weights: Float, means: Float, efficacy: Float, scatter: WellScatter
) -> OffAxis:
    """Fit what is measured across the mean functional `weights` [F], in a space that is whitened by all controls."""
    controls = labels != 0
    # The mean of the folds' axes belongs to no single whitened space; solving puts it into this one.
    axis = np.linalg.solve(whitening.matrix, weights).astype(np.float64)
    axis /= float(np.linalg.norm(axis)) or 1.0
    residual = residual_of(whitening, axis)
    control_residuals = residual(means[controls])
    direction = first_component(control_residuals)
    return OffAxis(
        whitening=whitening,
        weights=axis,
        direction=direction,
        centre=float(np.nanmean(control_residuals @ direction)),
        reference=off_reference(residual, means, efficacy, labels, scatter),
        unit=1.0,
    )


def _median_of_positive(values: Float) -> float:
    """Return the median of the positive values, and 1 where there is none, so that nothing is divided by zero."""
    positive = values[np.isfinite(values) & (values > 0)]
    return float(np.median(positive)) if len(positive) else 1.0
