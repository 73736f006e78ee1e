"""The control probe: how well a linear axis on the features separates the control wells, out of fold.

It only watches a run. Whitening, folds, SVM, well scores and Z′ are those of `gandl_science`, as in the analysis of a
screen with default parameters, so the number in TensorBoard, on a model card and in `quality.json` is one number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gandl_science.assay.accuracy import share_right
from gandl_science.assay.baselines.intensity import intensity_statistics
from gandl_science.assay.baselines.pixel_components import fit_components
from gandl_science.assay.separation import separation
from gandl_science.axis.cross_fit import DEFAULT_OPTIONS, AxisOptions, HeldOutScores, held_out_scores
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gandl_training.data.field_store import Uint8
from gandl_training.evaluation.control_tiles import ControlTiles

Vectors = NDArray[np.float32]
MAX_FITTED_TILES = 512
"""The components of the pixels are fitted on at most so many tiles."""


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """The accuracy of tiles and the Z′ of wells, both out of fold. There is no Z′ where the held-out positive controls
    score below the negative ones (`gandl_science.assay.separation`)."""

    accuracy: float
    z_prime: float | None


def score_controls(vectors: Vectors, controls: ControlTiles, options: AxisOptions = DEFAULT_OPTIONS) -> HeldOutScores:
    """Return the held-out scores of the control wells by the vectors [N, F] of their tiles."""
    # As in an analysis: BLAS threads gain nothing on such small matrices, and with one the result is repeatable.
    with threadpool_limits(1, user_api="blas"):
        return held_out_scores(vectors, controls.well, controls.labels, controls.folds, options)


def probe(vectors: Vectors, controls: ControlTiles) -> ProbeResult:
    """Probe the vectors [N, F] of the control tiles. Raises ValueError for vectors that are not finite."""
    scores, labels = score_controls(vectors, controls), controls.labels
    scored = np.isfinite(scores.on)  # a well that lost all its tiles to thinning has no score
    accuracy = share_right(scores.tiles_right, scores.n_tiles, labels != 0)
    assert accuracy is not None  # there are two folds with tiles of both classes
    positive, negative = (scores.on[scored & (labels == side)] for side in (1, -1))
    return ProbeResult(accuracy=accuracy, z_prime=separation(positive, negative).z_prime)


def probe_baselines(controls: ControlTiles) -> dict[str, ProbeResult]:
    """Probe, by their names, what needs no training: statistics of the grey values, and components of the pixels.

    The components are fitted on the control tiles themselves, without labels.
    """
    tiles = controls.tiles
    fitted = tiles[:: -(-len(tiles) // MAX_FITTED_TILES)]
    embedders: dict[str, Callable[[Uint8], Vectors]] = {"intensity": intensity_statistics}
    if len(fitted) > 1:
        embedders["pca"] = fit_components(fitted).vectors
    return {name: probe(embed_tiles(embed, tiles), controls) for name, embed in embedders.items()}


def embed_tiles(embed: Callable[[Uint8], Vectors], tiles: Uint8, batch: int = 64) -> Vectors:
    """Return the vectors [N, F] of tiles, computed in batches."""
    return np.concatenate([embed(tiles[i : i + batch]) for i in range(0, len(tiles), batch)])
