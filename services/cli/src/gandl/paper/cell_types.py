"""Cell types told apart by a linear SVM for each against the others, on plates that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gandl_science.arrays import Index, Vectors
from gandl_science.axis.cross_fit import REGULARISATION
from gandl_science.axis.linear.whitening import within_class
from gandl_shared.errors import NotEnoughData
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from gandl.paper.features import FieldVectors

MAX_FOLDS = 8


@dataclass(frozen=True, kw_only=True)
class CellTypeConfusion:
    """Counts [K, K] of images by true (rows) and assigned (columns) cell type, and what was held out together."""

    names: tuple[str, ...]
    counts: NDArray[np.intp]
    held_out: str

    @property
    def accuracy(self) -> float:
        """The share of images with their own cell type."""
        return float(np.trace(self.counts) / self.counts.sum())


def confuse_cell_types(fields: FieldVectors) -> CellTypeConfusion:
    """Classify the cell type of each image by SVMs that were fitted without its experiment.

    Where a cell type has one experiment only, plates are held out, and where it has one plate only, wells. Raises
    NotEnoughData with fewer than two cell types, or with a cell type in one well only.
    """
    names = sorted({well.cell_line for well in fields.wells})
    if len(names) < 2:
        raise NotEnoughData(f"there is one cell type, {', '.join(names)}; a confusion matrix needs two")
    kind = np.array([names.index(well.cell_line) for well in fields.wells], np.intp)
    fold, held_out = _folds(fields, kind, names)
    of_image, truth = fold[fields.well], kind[fields.well]
    assigned = np.empty(len(truth), np.intp)
    for number in np.unique(of_image).tolist():
        test = of_image == number
        assigned[test] = _assigned(fields.vectors[~test], truth[~test], fields.vectors[test])
    counts = np.zeros((len(names), len(names)), np.intp)
    np.add.at(counts, (truth, assigned), 1)
    return CellTypeConfusion(names=tuple(names), counts=counts, held_out=held_out)


def _folds(fields: FieldVectors, kind: Index, names: Sequence[str]) -> tuple[Index, str]:
    """Return the fold of each well [W], and the name of the groups that are held out as a whole.

    A group is in one fold, also where several cell types share it; every cell type is in two folds or more.
    """
    units: dict[str, list[str | None]] = {
        "experiments": [well.experiment for well in fields.wells],
        "plates": [well.plate for well in fields.wells],
        "wells": [f"{well.plate} {well.well}" for well in fields.wells],
    }
    for unit, groups in units.items():
        named = [group for group in groups if group is not None]
        if len(named) < len(groups):
            continue
        fold = _dealt(named, kind, len(names))
        if all(np.unique(fold[kind == one]).size > 1 for one in range(len(names))):
            return fold, unit
    fewest = names[int(np.argmin(np.bincount(kind)))]
    raise NotEnoughData(f"cell type {fewest} has one well only, so that nothing can be held out; it needs two")


def _dealt(groups: Sequence[str], kind: Index, n_kinds: int) -> Index:
    """Return the fold of each well [W]: the groups of each cell type are dealt in turn, each group once."""
    by_kind = [sorted({g for g, k in zip(groups, kind, strict=True) if k == one}) for one in range(n_kinds)]
    count = min(max(min(map(len, by_kind)), 1), MAX_FOLDS)
    folds: dict[str, int] = {}
    for own in by_kind:
        rest = [group for group in own if group not in folds]
        folds |= {group: (len(own) - len(rest) + i) % count for i, group in enumerate(rest)}
    return np.array([folds[group] for group in groups], np.intp)


def _assigned(training: Vectors, kinds: Index, vectors: Vectors) -> Index:
    """Return the cell type of each vector by SVMs on the training vectors, in the space whitened within cell types."""
    whitening = within_class(training, kinds)
    svm = LinearSVC(C=REGULARISATION, dual=False, class_weight="balanced", tol=1e-6, max_iter=10_000)
    svm.fit(whitening(training), kinds)
    return np.asarray(svm.predict(whitening(vectors)), np.intp)
