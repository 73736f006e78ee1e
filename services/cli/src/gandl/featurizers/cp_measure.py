"""Features of CellProfiler by the package cp-measure: nuclei are segmented, measured, and averaged over a tile."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from gandl_shared.errors import BadInput, NotEnoughData
from numpy.typing import NDArray

from gandl.featurizers.function import FunctionFeaturizer
from gandl.featurizers.names import Baseline
from gandl.featurizers.tiles import TileForm, TileSample, baseline_card

NUCLEAR = ("dna", "dapi", "hoechst", "draq", "nuclei", "nucleus", "nuclear")
"""A channel whose name or stain begins with one of these shows the nuclei."""
SMOOTHING, MIN_DISTANCE, RING = 1.0, 5, 6
"""Pixels: deviation of the smoothing, distance between two nuclei, and width of the ring that is added for the cell."""
MIN_AREA = 30
"""Smaller objects, in pixels, are no nuclei."""
MAX_FIT_TILES = 128
MIN_SHARE = 0.05
"""A feature must be there in at least this share of the tiles with nuclei."""

Tile = NDArray[np.uint8]
Measure = Callable[[Tile], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Which features are used, [K] of all, with the median and the robust spread of each over a sample of tiles."""

    used: NDArray[np.intp]
    median: NDArray[np.float64]
    spread: NDArray[np.float64]

    def vectors(self, tiles: Tile, measure: Measure) -> NDArray[np.float32]:
        """Return vectors [N, K]; a mean that a tile lacks is 0, the median; its number of nuclei is always there."""
        rows = [(measure(tile)[self.used] - self.median) / self.spread for tile in tiles]
        stacked = np.stack(rows) if rows else np.empty((0, len(self.used)))
        return np.nan_to_num(stacked, nan=0, posinf=0, neginf=0).astype(np.float32)


def cp_measure_featurizer(form: TileForm, sample: TileSample) -> FunctionFeaturizer:
    """Return the features of nuclei and cells as a featurizer, scaled by a sample of the screen's own tiles.

    Raises BadInput without a nuclear stain or without the package, and NotEnoughData where tiles hold no nuclei.
    """
    channel = nuclear_channel(form)
    _check_package()
    draft = baseline_card(Baseline.CP_MEASURE.value, form, layer="nuclei and cells", features=1)
    tiles = sample(draft, MAX_FIT_TILES)
    threshold = nuclear_threshold(tiles[:, channel])
    measure = tile_measure(channel, threshold, len(form.channels))
    scale = fit_scale([measure(tile) for tile in tiles])
    data = f"scaled by {len(tiles)} tiles of the screen itself, without labels; cp-measure {version('cp-measure')}"
    card = draft.model_copy(
        update={
            "features": len(scale.used),
            "training": draft.training.model_copy(update={"data": data}),
        }
    )
    content = b"".join(each.tobytes() for each in (scale.used, scale.median, scale.spread, np.float64(threshold)))
    return FunctionFeaturizer(card=card, vectors=lambda each: scale.vectors(each, measure), content=content)


def nuclear_channel(form: TileForm) -> int:
    """Return the index of the nuclear stain, by names. Raises BadInput where there is not exactly one."""
    texts = [(channel.name.lower(), (channel.stain or "").lower()) for channel in form.channels]
    matches = [i for i, words in enumerate(texts) if any(word.startswith(NUCLEAR) for word in words)]
    if len(matches) != 1:
        names = ", ".join(channel.name for channel in form.channels)
        raise BadInput(
            f"--model cp-measure segments nuclei, and {len(matches)} of the channels {names} have a nuclear stain by "
            "their name (DNA, DAPI, Hoechst, DRAQ); give --like a model whose card names one"
        )
    return matches[0]


def nuclear_threshold(planes: Tile) -> float:
    """Return Otsu's threshold over all tiles [N, S, S]; with its own, an empty tile would be full of nuclei."""
    from skimage.filters import threshold_otsu  # noqa: PLC0415 - installed with cp-measure only

    smooth = np.stack([_smooth(plane) for plane in planes])
    if smooth.min() == smooth.max():
        raise NotEnoughData("the nuclear stain has no contrast in any tile, so cp-measure has no nuclei to measure")
    return float(threshold_otsu(smooth))


def segment(plane: Tile, threshold: float) -> NDArray[np.int32]:
    """Return the labels of nuclei [S, S] by threshold and watershed; nuclei at the edge of the tile are left out."""
    from scipy import ndimage  # noqa: PLC0415 - slow to load
    from skimage.feature import peak_local_max  # noqa: PLC0415 - installed with cp-measure only
    from skimage.segmentation import clear_border, relabel_sequential, watershed  # noqa: PLC0415

    mask = _smooth(plane) > threshold
    distance = ndimage.distance_transform_edt(mask)
    peaks = peak_local_max(distance, min_distance=MIN_DISTANCE, labels=ndimage.label(mask)[0], exclude_border=False)
    seeds = np.zeros(mask.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = clear_border(watershed(-distance, seeds, mask=mask))
    areas = np.bincount(labels.ravel())
    labels[areas[labels] < MIN_AREA] = 0
    return np.asarray(relabel_sequential(labels)[0], np.int32)


def tile_measure(channel: int, threshold: float, channels: int) -> Measure:
    """Return the function from a tile [C, S, S] to its features: the number of nuclei, and means over its nuclei and
    over its cells. Without a nucleus the number is 0 and the means are NaN."""
    from cp_measure.featurizer import featurize, make_featurizer_config  # noqa: PLC0415 - an optional package
    from skimage.segmentation import expand_labels  # noqa: PLC0415 - installed with cp-measure only

    # Texture alone takes thirteen times as long as everything that is measured here.
    configuration = make_featurizer_config(
        [str(i) for i in range(channels)],
        objects=["nuclei", "cells"],
        correlation_costes=False,
        radial_zernikes=False,
        zernike=False,
        granularity=False,
        texture=False,
    )
    width: list[int] = []

    def measured(tile: Tile, labels: NDArray[np.int32]) -> NDArray[np.float64]:
        masks = np.stack([labels, expand_labels(labels, RING)])[None]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # moments of small objects divide by zero; their NaN are handled here
            table, _, rows = featurize(tile[None].astype(np.float64) / 255, masks, configuration)
            objects = np.array([str(row[1]) for row in rows])
            means = [np.nanmean(table[objects == name], axis=0) for name in ("nuclei", "cells")]
        return np.concatenate([[labels.max()], *means])

    def measure(tile: Tile) -> NDArray[np.float64]:
        labels = segment(tile[channel], threshold)
        if not width:
            square = np.zeros(tile.shape[1:], np.int32)
            square[2:-2, 2:-2] = 1
            width.append(len(measured(tile, square)))
        return measured(tile, labels) if labels.max() else np.concatenate([[0.0], np.full(width[0] - 1, np.nan)])

    return measure


def fit_scale(rows: list[NDArray[np.float64]]) -> Scale:
    """Return the number of nuclei, and the features that vary over the tiles with nuclei.

    The number is kept also where it does not vary, because it tells a tile whose cells are gone from an ordinary one.
    Raises NotEnoughData where too few tiles hold nuclei.
    """
    table = np.stack(rows)
    table = table[np.isfinite(table[:, 1:]).any(axis=1)]
    if len(table) < 2:
        raise NotEnoughData(
            f"{len(table)} of {len(rows)} tiles hold a whole nucleus; give a larger --tile-size for cp-measure"
        )
    table[~np.isfinite(table)] = np.nan
    share = np.isfinite(table).mean(axis=0)
    present = np.flatnonzero(share >= MIN_SHARE)
    median = np.nanmedian(table[:, present], axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(table[:, present] - median), axis=0)
    varies = spread > 1e-9 * np.maximum(np.abs(median), 1e-9)
    varies[present == 0], spread[present == 0] = True, max(float(spread[0]), 1.0)
    return Scale(used=present[varies], median=median[varies], spread=spread[varies])


def _smooth(plane: Tile) -> NDArray[np.float32]:
    from scipy import ndimage  # noqa: PLC0415 - slow to load

    smooth: NDArray[np.float32] = ndimage.gaussian_filter(plane.astype(np.float32), SMOOTHING)
    return smooth


def _check_package() -> None:
    try:
        import cp_measure.featurizer  # noqa: F401, PLC0415 - an optional package
    except ModuleNotFoundError as error:
        raise BadInput(
            "--model cp-measure needs the package cp-measure; install it with: pip install 'gandl[cp-measure]'"
        ) from error
