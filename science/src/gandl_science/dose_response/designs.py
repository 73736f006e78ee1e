"""Compounds that share their doses, as arrays: what lets one solver fit them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.dose_response.models import Floats, Mask, Rows, SearchSpace, log_dose
from gandl_science.dose_response.outliers import outlier_weights
from gandl_science.dose_response.results import CurveOptions, DoseResponseData
from gandl_science.dose_response.solver import DoseMeans, dose_means

MIN_DOSES = 4
MIN_WELLS = 5
_GAIN_LOSS_DOSES = 6


@dataclass(frozen=True)
class Design:
    """B compounds over the same D doses `levels` (zero allowed), at most R wells a dose.

    wells, present (1 or 0) and weights (after downweighting outliers) are (B, D, R), wells of a dose first along R;
    `slots` says for each compound at which (dose, replicate) its wells are, in its own order. `space` is searched.
    """

    levels: Floats
    space: SearchSpace
    wells: Floats
    present: Floats
    weights: Floats
    slots: tuple[tuple[Rows, Rows], ...]
    counts: Floats
    data: DoseMeans

    @property
    def can_rise(self) -> Mask:
        """Compounds (B,) with enough wells for a Hill curve and a test: four doses, five wells."""
        return np.asarray((self.counts.sum(axis=1) >= MIN_WELLS) & (self.levels.size >= MIN_DOSES))

    @property
    def can_fall_again(self) -> Mask:
        """Compounds (B,) with enough for gain-loss: six doses and two replicates (at the median dose)."""
        return np.asarray((np.median(self.counts, axis=1) >= 2) & (self.levels.size >= _GAIN_LOSS_DOSES))

    def weights_of(self, row: int) -> Floats:
        """Weights of one compound's wells in the order it came in, (n,)."""
        dose, replicate = self.slots[row]
        return np.asarray(self.weights[row, dose, replicate])


def designs(datasets: Sequence[DoseResponseData], options: CurveOptions) -> Iterator[tuple[tuple[int, ...], Design]]:
    """Indices of the datasets of each design, and the design. Missing wells only lower the weight of their dose."""
    groups: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for index, data in enumerate(datasets):
        groups[tuple(np.unique(data.concentration).tolist())].append(index)
    for levels, members in groups.items():
        yield tuple(members), _gather(np.array(levels), [datasets[i] for i in members], options)


def _gather(levels: Floats, datasets: Sequence[DoseResponseData], options: CurveOptions) -> Design:
    slots = tuple(_slots(levels, data) for data in datasets)
    shape = (len(datasets), levels.size, 1 + max(int(r.max()) for _, r in slots))
    wells, present = np.zeros(shape), np.zeros(shape)
    for b, (data, (dose, replicate)) in enumerate(zip(datasets, slots, strict=True)):
        wells[b, dose, replicate] = data.response
        present[b, dose, replicate] = 1.0
    space, x = _space(levels, options), log_dose(levels)
    weights = outlier_weights(x, wells, present, space) if options.robust else present
    means = dose_means(x, wells, weights)
    return Design(levels, space, wells, present, weights, slots, present.sum(axis=2), means)


def _slots(levels: Floats, data: DoseResponseData) -> tuple[Rows, Rows]:
    """Dose index and replicate number (in order of appearance) of each well."""
    dose = np.searchsorted(levels, data.concentration)
    order = np.argsort(dose, kind="stable")
    first = np.searchsorted(dose[order], dose[order])
    replicate = np.empty_like(dose)
    replicate[order] = np.arange(dose.size) - first
    return dose, replicate


def _space(levels: Floats, options: CurveOptions) -> SearchSpace:
    positive = np.log10(levels[levels > 0]) if np.any(levels > 0) else np.zeros(1)
    low, high = float(positive.min() - options.margin), float(positive.max() + options.margin)
    return SearchSpace(low, high, options.slope_low, options.slope_high)
