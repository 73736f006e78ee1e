"""Optional normalisation of vectors by the negative controls of their own plate, before any axis is fitted.

A negative control is normalised by the other negative controls of its plate. If its own tiles were included, the
negatives of a plate would average to exactly zero: their spread would shrink and Z′ would flatter the assay. The
normalisation is recorded in the provenance of an axis, as a fit only suits vectors that were normalised the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gandl_science.arrays import Float, Index, Mask
from gandl_science.axis.linear.whitening import ledoit_wolf

PCA_MAD = "pca_mad"
"""Standardise all vectors, take their principal components, and make these robust by plate: "scale, PCA 64, plate MAD",
the best of the normalisations that MorphoHELM (Lu et al. 2026) compares for retrieval."""
COMPONENTS = 64
_MAD_TO_DEVIATION = 1.4826
_ROWS = 8192  # rows that are converted to float64 at a time

Vectors = NDArray[np.float32]
Normalise = Callable[[Vectors, Index, Sequence[str], Mask], Vectors]


def standardise_plates(vectors: Vectors, well: Index, plates: Sequence[str], reference: Mask) -> Vectors:
    """Scale each feature to zero mean and unit standard deviation over the reference tiles of the same plate.

    `vectors` is [N, F]; `well` [N] indexes `plates` [W] and `reference` [W] (the negative controls). A feature that is
    constant there is centred only. Raises ValueError naming a plate with fewer than two reference wells.
    """
    normalised = np.empty_like(vectors)
    for tiles, reference_tiles in _plate_parts(well, plates, reference):
        x = vectors[reference_tiles].astype(np.float64)
        # Dead features exist in trained networks; without spread they are centred and not divided by zero.
        spread = x.std(axis=0)
        normalised[tiles] = (vectors[tiles] - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return normalised


def align_plates(vectors: Vectors, well: Index, plates: Sequence[str], reference: Mask) -> Vectors:
    """Give the reference tiles of every plate zero mean and the pooled covariance (CORAL, Sun et al. 2016).

    Followed by whitening on the negative controls, this is typical variation normalisation (TVN, Ando et al. 2017).
    Covariances are shrunk as Ledoit and Wolf (2004) propose. Arguments and errors are those of `standardise_plates`.
    """
    parts = list(_plate_parts(well, plates, reference))  # plates without references are refused before any pooling
    target = _symmetric_power(_pooled_covariance(vectors, well, plates, reference), 0.5)
    normalised = np.empty_like(vectors)
    for tiles, reference_tiles in parts:
        x = vectors[reference_tiles].astype(np.float64)
        centre = x.mean(axis=0)
        # Whitening by the plate's own covariance, then recolouring by the pooled one.
        recolour = _symmetric_power(ledoit_wolf(x - centre), -0.5) @ target
        normalised[tiles] = (vectors[tiles] - centre) @ recolour
    return normalised


def robustise_plates(vectors: Vectors, well: Index, plates: Sequence[str], reference: Mask) -> Vectors:
    """Subtract the median of the reference tiles of the same plate, and divide by 1.4826 times their MAD.

    MAD is the median absolute deviation. A feature without any is divided by its standard deviation, and only centred
    where that is zero too. Arguments and errors are those of `standardise_plates`.
    """
    normalised = np.empty_like(vectors)
    for tiles, reference_tiles in _plate_parts(well, plates, reference):
        x = vectors[reference_tiles].astype(np.float64)
        centre = np.median(x, axis=0)
        spread = _MAD_TO_DEVIATION * np.median(np.abs(x - centre), axis=0)
        spread = np.where(spread > 0, spread, x.std(axis=0))
        normalised[tiles] = (vectors[tiles] - centre) / np.where(spread > 0, spread, 1)
    return normalised


def principal_components(vectors: Vectors, n: int = COMPONENTS, *, of: Vectors | None = None) -> Vectors:
    """Return the scores [N, n] of the first principal components of the standardised features of vectors [N, F].

    With `of` [M, F] they are the scores [M, n] of these vectors on the components of the others.
    There are F of them if F is smaller than `n`. The sign of a component is such that its largest weight is positive.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    spread = vectors.std(axis=0, dtype=np.float64)
    scale = np.where(spread > 0, spread, 1)
    parts = [slice(start, start + _ROWS) for start in range(0, len(vectors), _ROWS)]
    covariance = np.zeros((vectors.shape[1], vectors.shape[1]))
    for part in parts:
        x = (vectors[part] - mean) / scale
        covariance += x.T @ x
    _, axes = np.linalg.eigh(covariance / max(len(vectors), 1))
    leading = axes[:, ::-1][:, :n]
    leading = leading * np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(leading.shape[1])])
    scored = vectors if of is None else of
    parts = [slice(start, start + _ROWS) for start in range(0, max(len(scored), 1), _ROWS)]
    scores: Vectors = np.concatenate([((scored[p] - mean) / scale @ leading).astype(np.float32) for p in parts])
    return scores


PLATE_NORMALISATIONS: Mapping[str, Normalise] = MappingProxyType(
    {"standardise": standardise_plates, "align": align_plates, PCA_MAD: robustise_plates}
)


def _plate_parts(well: Index, plates: Sequence[str], reference: Mask) -> Iterator[tuple[Index, Index]]:
    """Yield pairs of tiles to normalise and of reference tiles to do it by.

    The wells of a plate are one part. Each of its reference wells is a part of its own, normalised by the others.
    """
    plate_of = np.asarray(plates, dtype=object)
    for plate in dict.fromkeys(plates):
        wells = np.flatnonzero((plate_of == plate) & np.isin(np.arange(len(plates)), well))
        # A plate without any tiles has nothing to normalise, so it needs no references.
        if len(wells) == 0:
            continue
        references = wells[reference[wells]]
        if len(references) < 2:
            detail = f"plate {plate} has {len(references)} negative control wells with images"
            raise ValueError(f"{detail}; normalising it by its controls needs two")
        all_references = np.isin(well, references)
        yield np.flatnonzero(np.isin(well, wells[~reference[wells]])), np.flatnonzero(all_references)
        for one in references:
            yield np.flatnonzero(well == one), np.flatnonzero(all_references & (well != one))


def _pooled_covariance(vectors: Vectors, well: Index, plates: Sequence[str], reference: Mask) -> Float:
    """Return the covariance [F, F] of all reference tiles, each plate centred by itself."""
    plate_of = np.asarray(plates, dtype=object)
    tiles = [np.flatnonzero((reference & (plate_of == plate))[well]) for plate in dict.fromkeys(plates)]
    # Centred per plate, because differences between plates are what is to be removed.
    centred = [vectors[t].astype(np.float64) - vectors[t].mean(axis=0, dtype=np.float64) for t in tiles if len(t)]
    return ledoit_wolf(np.concatenate(centred))


def _symmetric_power(covariance: Float, power: float) -> Float:
    """Return a symmetric power of a covariance. Directions without variance keep their scale."""
    values, axes = np.linalg.eigh(covariance)
    positive = values > max(float(values[-1]), 0) * 1e-10
    scaled: Float = axes * np.where(positive, np.where(positive, values, 1) ** power, 1)
    result: Float = scaled @ axes.T
    return result
