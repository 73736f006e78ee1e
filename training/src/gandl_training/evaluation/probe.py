"""The control probe: how well a linear SVM on the features tells the control wells apart, out of fold.

It watches a run; training never sees it. Definitions as in the analysis of a screen: fitted on tiles whitened by the
pooled within-class covariance, wells scored by the mean of their tiles, folds that split no plate (or no row of
wells, where there is one plate).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_shared.errors import NotEnoughData
from gandl_shared.imaging import blank_tiles, tile_contrast, tile_origins
from gandl_shared.schemas.analysis import ImageQcParameters
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf
from sklearn.svm import LinearSVC

from gandl_training.data.dataset import FieldRecord, FieldStore, Uint8

Floats = NDArray[np.float64]
POSITIVE, NEGATIVE = "positive_control", "negative_control"
MOST_TILES = 4000
RELEASE_EVERY = 256


@dataclass(frozen=True)
class ControlTiles:
    """Tiles [N, C, S, S] of the control wells of one cell line: class (True: positive), well and fold of each."""

    tiles: Uint8
    positive: NDArray[np.bool_]
    well: NDArray[np.int64]
    fold: NDArray[np.int64]


@dataclass(frozen=True)
class ProbeResult:
    """`accuracy` of tiles, `z_prime` of wells, all out of fold."""

    accuracy: float
    z_prime: float


def control_tiles(
    store: FieldStore, size: int, cell_line: str | None = None, *, most: int | None = None
) -> ControlTiles:
    """The grid tiles of all control fields (of one cell line), without blank ones in wells that have others, as in a
    screen; at most `most` of them, evenly thinned before they are copied. Raises NotEnoughData without two wells a
    class."""
    records = store.index.records
    chosen = [i for i, r in enumerate(records) if r.role in (POSITIVE, NEGATIVE) and cell_line in (None, r.cell_line)]
    folds = _folds([records[i] for i in chosen])
    wells = {key: n for n, key in enumerate(dict.fromkeys((records[i].plate, records[i].well) for i in chosen))}
    origins = tile_origins(store.fields.shape[2], store.fields.shape[3], size)
    each = len(origins)
    positive = np.repeat([records[i].role == POSITIVE for i in chosen], each)
    well = np.repeat([wells[records[i].plate, records[i].well] for i in chosen], each)
    for label in (True, False):
        if len(set(well[positive == label])) < 2:
            raise NotEnoughData("the control probe needs at least two wells of each control")
    contrast = np.concatenate([tile_contrast(_tiles(store, [(i, at) for at in origins], size)) for i in chosen])
    kept = np.flatnonzero(~blank_tiles(contrast, well, ImageQcParameters().blank))
    kept = kept[:: max(-(-len(kept) // most), 1)] if most else kept
    tiles = _tiles(store, [(chosen[n // each], origins[n % each]) for n in kept], size)
    return ControlTiles(tiles, positive[kept], well[kept], np.repeat(folds, each)[kept])


def controls_by_line(store: FieldStore, size: int) -> dict[str, ControlTiles]:
    """At most 4000 tiles of every cell line that has enough control wells for a probe."""
    found: dict[str, ControlTiles] = {}
    for line in dict.fromkeys(r.cell_line for r in store.index.records):
        try:
            found[line] = control_tiles(store, size, line, most=MOST_TILES)
        except NotEnoughData:
            continue
    return found


def _tiles(store: FieldStore, places: Sequence[tuple[int, tuple[int, int]]], size: int) -> Uint8:
    """Copies of the tiles at (field, (y, x)), [N, C, size, size]; what was read of the store leaves memory again."""
    tiles = np.empty((len(places), store.channels, size, size), np.uint8)
    for n, (i, (y, x)) in enumerate(places):
        tiles[n] = store.fields[i, :, y : y + size, x : x + size]
        if n % RELEASE_EVERY == 0:
            store.release()
    store.release()
    return tiles


def _folds(records: Sequence[FieldRecord]) -> NDArray[np.int64]:
    """Number of the plate, or of the row of wells where there are fewer than three plates."""
    plates = {r.plate for r in records}
    keys = [(r.plate, "") if len(plates) > 2 else (r.plate, r.well.rstrip("0123456789")) for r in records]
    number = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    return np.array([number[key] for key in keys])


def probe(features: Floats, controls: ControlTiles, *, whiten: bool = True, c: float = 1e-3) -> ProbeResult:
    """Probe features [N, F] of the control tiles. Folds whose training part lacks a class are left out.

    After whitening, a small C is right: on BBBC013 (600 tiles × 512) Z′ falls by 0.2 to 0.4 from C = 0.001 to 1.
    """
    score = np.full(len(features), np.nan)
    for fold in np.unique(controls.fold):
        test = controls.fold == fold
        if len(set(controls.positive[~test])) == 2:
            score[test] = _fold_scores(features, controls.positive, test, whiten, c)
    known = ~np.isnan(score)
    accuracy = float(((score > 0) == controls.positive)[known].mean())
    return ProbeResult(accuracy, z_prime(*_well_scores(score, controls, known)))


def _fold_scores(x: Floats, positive: NDArray[np.bool_], test: NDArray[np.bool_], whiten: bool, c: float) -> Floats:
    train, labels = x[~test], positive[~test]
    centre = (train[labels].mean(0) + train[~labels].mean(0)) / 2
    if whiten:
        within = np.concatenate([train[labels] - train[labels].mean(0), train[~labels] - train[~labels].mean(0)])
        transform = whitening(within)
    else:
        transform = np.diag(1 / np.maximum(train.std(0), 1e-12))
    svm = LinearSVC(C=c, dual=False, loss="squared_hinge", class_weight="balanced", tol=1e-3)
    svm.fit((train - centre) @ transform, labels)
    scores: Floats = svm.decision_function((x[test] - centre) @ transform) / np.linalg.norm(svm.coef_)
    return scores


def whitening(within: Floats) -> Floats:
    """W with W·cov·Wᵀ = I for the Ledoit–Wolf covariance of centred rows [N, F]; apply as x @ W."""
    scale = within.std(0).mean() + 1e-12
    covariance, _ = ledoit_wolf(within / scale, assume_centered=True)
    values, vectors = np.linalg.eigh(covariance)
    whitener: Floats = (vectors / np.sqrt(np.maximum(values, 1e-10))) @ vectors.T / scale
    return whitener


def _well_scores(score: Floats, controls: ControlTiles, known: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    means: dict[bool, list[float]] = {True: [], False: []}
    for well in np.unique(controls.well[known]):
        here = known & (controls.well == well)
        means[bool(controls.positive[here][0])].append(float(score[here].mean()))
    return np.array(means[True]), np.array(means[False])


def z_prime(positive: Floats, negative: Floats) -> float:
    """1 − 3(σ₊ + σ₋)/|μ₊ − μ₋| of well scores, sample standard deviations (Zhang et al. 1999)."""
    spread = positive.std(ddof=1) + negative.std(ddof=1)
    return float(1 - 3 * spread / abs(positive.mean() - negative.mean()))


def embed(features: Callable[[Uint8], NDArray[np.floating]], tiles: Uint8, batch: int = 64) -> Floats:
    """`features` over `tiles` in batches, [N, F]."""
    parts = [features(tiles[i : i + batch]) for i in range(0, len(tiles), batch)]
    return np.concatenate(parts).astype(np.float64)


def intensity_features(tiles: Uint8) -> Floats:
    """Plain statistics of each channel as the baseline: mean, standard deviation and percentiles 1, 25, 50, 75, 99."""
    flat = tiles.reshape(*tiles.shape[:2], -1).astype(np.float64)
    percentiles = np.percentile(flat, [1, 25, 50, 75, 99], axis=2)
    parts = [flat.mean(2), flat.std(2), *percentiles]
    return np.concatenate(parts, axis=1)
