"""The p-value of the activity test after the checks of what it assumes of the noise.

The test assumes normal noise of one variance. Where one well per dose is all there is, a permutation test of the wells
supports it; where some doses scatter more than others, a test in which they have their own variance. The larger p-value
counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.designs import Design
from gandl_science.dose_response.noise.permutation import permutation_p, replicate_permutation_p
from gandl_science.dose_response.noise.variances import DoseScatter, check_variances
from gandl_science.dose_response.records.inputs import CurveOptions
from gandl_science.dose_response.records.vocabulary import Null
from gandl_science.dose_response.significance.null import ActivityNull
from gandl_science.dose_response.significance.shares import hill_grids
from gandl_science.dose_response.solver.grids import SpacingBatch
from gandl_science.dose_response.solver.means import dose_means

_CHECKED_P = 0.1
"""In a design of single wells, p-values up to this one are compared with those of exchanged wells."""


@dataclass(frozen=True, kw_only=True)
class CheckedP:
    """The p-values (B,) that count, and which of them depend on the assumption that all doses scatter equally.

    `assumes_equal_scatter` (B,): p is significant only under it. `equal_scatter` (B,) are the p-values under it; they
    are smaller than `p` where the scatter is evidently unequal. `cautious` (B,) are the p-values without it; they are
    larger than `p` where only the assumption makes p so small.
    """

    p: Float
    assumes_equal_scatter: Mask
    equal_scatter: Float
    cautious: Float


def exchanged_p(
    design: Design,
    batch: SpacingBatch,
    p: Float,
    null: ActivityNull,
    options: CurveOptions,
    generator_of: Callable[[Float], np.random.Generator],
) -> Float:
    """Return the p-values (S * M,) by exchanged wells of the compounds of a batch; 0 where none are exchanged.

    `p` (S * M,) are those of the activity test, `null` are its nulls. `generator_of` returns the generator of a
    compound from its wells.
    """
    exchanged = np.zeros(p.size)
    for i in np.flatnonzero(_is_permuted(design, batch.curves, p, options)).tolist():
        compound, spacing = int(batch.curves[i]), np.array([i // batch.members.shape[1]])
        exchanged[i] = _exchange(
            design, compound, batch.take(spacing), null.take(spacing), generator_of(design.wells[compound])
        )
    return exchanged


def check_p(design: Design, members: Index, p: Float, exchanged: Float, options: CurveOptions) -> CheckedP:
    """Return the p-values of compounds `members` (B,), which share their wells per dose, after the checks.

    `p` (B,) are those of the activity test, `exchanged` (B,) those of exchanged wells.
    """
    never = np.zeros(p.size, dtype=bool)
    if options.null is Null.NORMAL:
        return CheckedP(p=p, assumes_equal_scatter=never, equal_scatter=p, cautious=p)
    if options.null is Null.PERMUTATION:
        return CheckedP(p=exchanged, assumes_equal_scatter=never, equal_scatter=exchanged, cautious=exchanged)
    p = np.maximum(p, exchanged)
    evident, cautious = _own_variances(design, members, p, options)
    if options.null is Null.UNEQUAL:
        checked = np.maximum(p, cautious)
        return CheckedP(p=checked, assumes_equal_scatter=never, equal_scatter=checked, cautious=checked)
    checked = np.maximum(p, evident)
    return CheckedP(
        p=checked,
        assumes_equal_scatter=(checked <= options.alpha) & (cautious > options.alpha),
        equal_scatter=p,
        cautious=np.maximum(checked, cautious),
    )


def _is_permuted(design: Design, compounds: Index, p: Float, options: CurveOptions) -> Mask:
    """Return for which compounds (B,), with equal numbers of wells, the wells are exchanged between the doses."""
    if options.null is Null.NORMAL:
        return np.zeros(p.size, dtype=bool)
    if options.null is Null.PERMUTATION:
        return np.ones(p.size, dtype=bool)
    is_replicated = design.counts[compounds[0]].max() > 1
    return np.asarray((p <= _CHECKED_P) & (not is_replicated))


def _exchange(
    design: Design, compound: int, spacing: SpacingBatch, null: ActivityNull, rng: np.random.Generator
) -> float:
    """Return the p-value of one compound by the permutation test; `spacing` and `null` are those of its doses."""
    wells, counts = design.wells[compound], design.counts[compound]
    x, grids = spacing.x[0], hill_grids(spacing.x, spacing.space)
    if counts.max() == 1:
        return permutation_p(x, wells[:, 0], grids, rng)
    present = design.present[compound] > 0
    units = [np.asarray(row[mask]) for row, mask in zip(wells, present, strict=True)]
    # Wells that are parts of one replicate are equal, and are exchanged together.
    units = [np.unique(unit) if unit.size > n else unit for unit, n in zip(units, counts, strict=True)]
    return replicate_permutation_p(x, units, null, grids, rng)


def _own_variances(design: Design, members: Index, p: Float, options: CurveOptions) -> tuple[Float, Float]:
    """Return the p-values (B,), (B,) in spite of the doses with evidently more scatter, and of any doses.

    They are 0 where p is above the level already, and where the doses are too few to leave one out.
    """
    evident, cautious = np.zeros(p.size), np.zeros(p.size)
    checked = np.flatnonzero(p <= options.alpha)
    enough = 0.0 if options.null is Null.UNEQUAL else options.alpha
    # Compounds with outliers have weights of their own.
    rows, code = np.unique(design.data.weight[members[checked]], axis=0, return_inverse=True)
    for k in range(len(rows)):
        alike = checked[code.reshape(-1) == k]
        compounds = members[alike]
        check = check_variances(_scatter(design, compounds), design.space.take(compounds), enough)
        evident[alike], cautious[alike] = check.evident, check.cautious
    return evident, cautious


def _scatter(design: Design, compounds: Index) -> DoseScatter:
    data, wells = design.data.take(compounds), design.wells[compounds]
    raw = dose_means(data.x, wells, design.present[compounds])
    within, raw_within = (
        (weights * (wells - mean[:, :, None]) ** 2).sum(axis=2)
        for weights, mean in ((design.weights[compounds], data.mean), (design.present[compounds], raw.mean))
    )
    # Where plate effects were estimated, or plates are replicates, the pure error is another multiple of the same sum.
    total = within.sum(axis=1)
    within *= (data.pure / np.where(total > 0, total, 1.0))[:, None]
    raw_df = np.maximum(design.counts[compounds[0]] - 1, 0)
    df = np.where(raw_df > 0, np.maximum(data.weight[0] - 1, 0.0), 0.0)
    return DoseScatter(data=data, within=within, df=df, raw=raw_within, raw_df=raw_df)
