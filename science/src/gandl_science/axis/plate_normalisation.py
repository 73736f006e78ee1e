"""Optional: vectors relative to the negative controls of their own plate, before any axis is fitted.

A negative control is normalised by the other negative controls of its plate. By statistics that include itself, its
plate's negatives would average to exactly zero: their spread would shrink and Z′ would flatter the assay. Record the
name of what was done in `AxisFit.about`, as a fit is of use only for vectors normalised the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gandl_science.axis.whitening import ledoit_wolf

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Vectors = NDArray[np.float32]
Normalise = Callable[[Vectors, Index, Sequence[str], NDArray[np.bool_]], Vectors]


def standardise_plates(vectors: Vectors, well: Index, plates: Sequence[str], reference: NDArray[np.bool_]) -> Vectors:
    """Each feature less the mean, over the standard deviation, of the reference tiles of the same plate.

    `vectors` [N, F]; `well` [N] indexes `plates` [W] and `reference` [W] (the negative controls). A feature that is
    constant there is centred only. Raises ValueError naming a plate with fewer than two reference wells.
    """
    out = np.empty_like(vectors)
    for rows, others in _jobs(well, plates, reference):
        x = vectors[others].astype(np.float64)
        spread = x.std(axis=0)
        out[rows] = (vectors[rows] - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return out


def align_plates(vectors: Vectors, well: Index, plates: Sequence[str], reference: NDArray[np.bool_]) -> Vectors:
    """Reference tiles of every plate get zero mean and the pooled covariance (CORAL, Sun et al. 2016): with whitening
    on the negative controls after it, this is typical variation normalisation (TVN, Ando et al. 2017).

    Arguments and errors as of `standardise_plates`. Covariances are shrunk after Ledoit and Wolf.
    """
    jobs = list(_jobs(well, plates, reference))  # finds plates without references before anything is pooled
    target = _root(_pooled(vectors, well, plates, reference), 0.5)
    out = np.empty_like(vectors)
    for rows, others in jobs:
        x = vectors[others].astype(np.float64)
        centre = x.mean(axis=0)
        out[rows] = (vectors[rows] - centre) @ (_root(ledoit_wolf(x - centre), -0.5) @ target)
    return out


PLATE_NORMALISATIONS: Mapping[str, Normalise] = MappingProxyType(
    {"standardise": standardise_plates, "align": align_plates}
)


def _jobs(well: Index, plates: Sequence[str], reference: NDArray[np.bool_]) -> Iterator[tuple[Index, Index]]:
    """(tiles to normalise, reference tiles to do it by): the wells of a plate at once, its reference wells singly."""
    plate_of = np.asarray(plates, dtype=object)
    for plate in dict.fromkeys(plates):
        wells = np.flatnonzero((plate_of == plate) & np.isin(np.arange(len(plates)), well))
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


def _pooled(vectors: Vectors, well: Index, plates: Sequence[str], reference: NDArray[np.bool_]) -> Float:
    plate_of = np.asarray(plates, dtype=object)
    tiles = [np.flatnonzero((reference & (plate_of == plate))[well]) for plate in dict.fromkeys(plates)]
    centred = [vectors[t].astype(np.float64) - vectors[t].mean(axis=0, dtype=np.float64) for t in tiles if len(t)]
    return ledoit_wolf(np.concatenate(centred))


def _root(covariance: Float, power: float) -> Float:
    """Symmetric power of a covariance; directions without variance stay as they are."""
    values, axes = np.linalg.eigh(covariance)
    known = values > max(float(values[-1]), 0) * 1e-10
    scaled: Float = axes * np.where(known, np.where(known, values, 1) ** power, 1)
    root: Float = scaled @ axes.T
    return root
