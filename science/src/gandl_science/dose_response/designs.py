"""Designs: compounds with equally many doses, as arrays, so that one solver can fit all of them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.models import SearchSpace, log_dose
from gandl_science.dose_response.noise.outliers import (
    has_many_outliers,
    has_other_noise,
    outlier_weights,
    share_of_outliers,
)
from gandl_science.dose_response.noise.plates import PlateCorrection, correct_plates
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.solver.means import DoseMeans, dose_means

MIN_DOSES = 4
MIN_WELLS = 5
"""A Hill curve has four parameters: fewer doses cannot show it, and fewer wells leave no residual degree of freedom."""
_MIN_GAIN_LOSS_DOSES = 6
_MIN_GAIN_LOSS_REPLICATES = 2


@dataclass(frozen=True, kw_only=True)
class Design:
    """B compounds over D doses each, `levels` (B, D) in ascending order (zero allowed), with at most R wells per dose.

    wells, present (1 or 0) and weights (after downweighting of outliers) are (B, D, R); the wells of a dose come first
    along R. `has_many_outliers` (B,) is true where a tenth of the wells or more are outliers, `is_confounded` (B,)
    where dose and plate cannot be told apart. `prior` (B, D, R) are the relative weights of the user, with a mean of 1
    over the wells of a compound, and 1 where `has_weights` (B,) is false. `slots` holds, for each compound, the (dose,
    replicate) of each of its wells, in its own order. `counts` (B, D) are replicates per dose. `space` is the search
    space, with the bounds of each compound. `level_variance` (B,) is that of the level of the absolute EC50.
    """

    levels: Float
    space: SearchSpace
    wells: Float
    present: Float
    weights: Float
    prior: Float
    has_weights: Mask
    has_many_outliers: Mask
    is_confounded: Mask
    slots: tuple[tuple[Index, Index], ...]
    counts: Float
    data: DoseMeans
    level_variance: Float

    @property
    def nominal(self) -> Float:
        """The weight of each dose (B, D) of a compound without outliers: its replicates, or the sum of their weights.

        Dose means have variances inverse to it, also under the null hypothesis of the activity test.
        """
        total = (self.present * self.prior).sum(axis=2)
        return np.where(self.has_weights[:, None], total, self.counts)

    @property
    def allows_hill(self) -> Mask:
        """True for compounds (B,) with enough wells for a Hill curve and a test: four doses, five wells.

        A compound whose dose and plate cannot be told apart has neither.
        """
        enough = (self.counts.sum(axis=1) >= MIN_WELLS) & (self.levels.shape[1] >= MIN_DOSES)
        return np.asarray(enough & ~self.is_confounded)

    @property
    def allows_gain_loss(self) -> Mask:
        """True for compounds (B,) with enough wells for gain-loss: six doses, two replicates at the median dose."""
        replicates = np.median(self.counts, axis=1) >= _MIN_GAIN_LOSS_REPLICATES
        return np.asarray(replicates & (self.levels.shape[1] >= _MIN_GAIN_LOSS_DOSES) & ~self.is_confounded)

    def weights_of(self, compound: int) -> Float:
        """The weights (n,) of the wells of one compound, in its own order."""
        dose, replicate = self.slots[compound]
        return np.asarray(self.weights[compound, dose, replicate])


def designs(datasets: Sequence[DoseResponseData], options: CurveOptions) -> Iterator[tuple[tuple[int, ...], Design]]:
    """Yield each design with the indices of its datasets. A missing well only lowers the weight of its dose."""
    # The array has one size: compounds with many wells at a dose must not make it large for those with few.
    groups: dict[tuple[int, int], list[tuple[int, Float]]] = defaultdict(list)
    for index, data in enumerate(datasets):
        own, counts = np.unique(data.concentration, return_counts=True)
        groups[own.size, int(counts.max())].append((index, own))
    for members in groups.values():
        indices = tuple(index for index, _ in members)
        levels = np.stack([own for _, own in members])
        yield indices, _gather(levels, [datasets[i] for i in indices], options)


def _gather(levels: Float, datasets: Sequence[DoseResponseData], options: CurveOptions) -> Design:
    """Put the wells of compounds with equally many doses, `levels` (B, D), into one array."""
    slots = tuple(_slots(own, data) for own, data in zip(levels, datasets, strict=True))
    shape = (*levels.shape, 1 + max(int(replicate.max()) for _, replicate in slots))
    wells, present, share, replicates = np.zeros((4, *shape))
    prior, has_weights = np.ones(shape), np.array([data.weight is not None for data in datasets])
    confounded, efficiency = np.zeros(len(datasets), dtype=bool), np.ones(len(datasets))
    for compound, (data, (dose, replicate)) in enumerate(zip(datasets, slots, strict=True)):
        correction = _corrected(data, dose)
        wells[compound, dose, replicate] = correction.response
        present[compound, dose, replicate] = 1.0
        share[compound, dose, replicate] = correction.weight
        replicates[compound, dose, replicate] = correction.replicate
        if data.weight is not None:
            prior[compound, dose, replicate] = data.weight / np.mean(data.weight)
        confounded[compound], efficiency[compound] = correction.is_confounded, correction.efficiency
    # Outliers are weighted before anything is fitted, so that all models see the same data.
    space, x = _search_space(levels, options), log_dose(levels)
    weights = outlier_weights(x, wells, present, space) if options.robust else present
    outliers = share_of_outliers(weights, present)
    # Wells that are parts of one replicate are equal after the correction, so no scatter of wells can be seen.
    parts = np.any((present > 0) & (replicates < 1), axis=(1, 2))
    # Weights of the user say how much each well scatters, so that none of them is an outlier besides.
    untouched = has_other_noise(outliers) | parts | has_weights
    weights[untouched] = present[untouched]
    return Design(
        levels=levels,
        space=space,
        wells=wells,
        present=present,
        weights=weights,
        prior=prior,
        has_weights=has_weights,
        has_many_outliers=has_many_outliers(outliers) & ~parts & ~has_weights,
        slots=slots,
        # Wells of a plate that is one replicate are parts of it, so the sum is whole but for rounding.
        counts=np.rint(replicates.sum(axis=2)),
        is_confounded=confounded,
        data=_with_efficiency(dose_means(x, wells, weights * share * prior), efficiency),
        level_variance=np.array([data.level_variance for data in datasets]),
    )


def _with_efficiency(data: DoseMeans, efficiency: Float) -> DoseMeans:
    """Return the dose means with the pure error that their differences have, where plate effects were estimated."""
    return DoseMeans(data.x, data.weight, data.mean, data.pure / efficiency)


def _corrected(data: DoseResponseData, dose: Index) -> PlateCorrection:
    """Return the wells of a compound without plate effects, or as they are where plates are unknown."""
    if data.plate is None:
        return PlateCorrection.none(data.response)
    return correct_plates(dose, data.plate, data.response)


def _slots(levels: Float, data: DoseResponseData) -> tuple[Index, Index]:
    """Return the dose index and the replicate number (in order of appearance) of each well, (n,) each."""
    dose = np.searchsorted(levels, data.concentration)
    # The replicate number is the position among the wells of the same dose, after a stable sort by dose.
    order = np.argsort(dose, kind="stable")
    first = np.searchsorted(dose[order], dose[order])
    replicate = np.empty_like(dose)
    replicate[order] = np.arange(dose.size) - first
    return dose, replicate


def _search_space(levels: Float, options: CurveOptions) -> SearchSpace:
    """Return the tested doses above zero, widened by the margin, and the bounds of the slope."""
    positive = levels > 0
    low = np.where(positive, levels, np.inf).min(axis=1)
    high = levels.max(axis=1)
    # A compound without a dose above zero has no range: any will do.
    low, high = (np.log10(np.where(positive.any(axis=1), ends, 1.0)) for ends in (low, high))
    return SearchSpace(
        low=low - options.margin,
        high=high + options.margin,
        slope_low=options.slope_low,
        slope_high=options.slope_high,
    )
