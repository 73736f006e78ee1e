"""The p-value of the activity test after the checks of what it assumes of the noise.

The test assumes normal noise of one variance. Where one well per dose is all there is, a permutation test of the wells
supports it; where some doses scatter more than others, a test in which they have their own variance. The larger p-value
counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.designs import Design
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.noise.permutation import permutation_p, replicate_permutation_p
from gandl_science.dose_response.noise.variances import DoseScatter, check_variances
from gandl_science.dose_response.results import CurveOptions, Null
from gandl_science.dose_response.significance import ActivityNull
from gandl_science.dose_response.solver import dose_means

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


@dataclass(frozen=True, kw_only=True)
class DesignGroup:
    """The compounds `members` (B,) of a design that share their wells per dose and, but for a shift, their doses.

    `x` (D,) and `space` are log10 dose and search space, shifted alike.
    """

    design: Design
    members: Index
    x: Float
    space: SearchSpace


def check_p(
    group: DesignGroup,
    p: Float,
    null: ActivityNull,
    options: CurveOptions,
    generator_of: Callable[[Float], np.random.Generator],
) -> CheckedP:
    """Return the p-values of the compounds of the group (B,) after the checks.

    `p` (B,) are those of the activity test, `null` is its null. `generator_of` returns the generator of a compound from
    its wells.
    """
    never = np.zeros(p.size, dtype=bool)
    if options.null is Null.NORMAL:
        return CheckedP(p=p, assumes_equal_scatter=never, equal_scatter=p, cautious=p)
    exchanged = np.zeros(p.size)
    for i in np.flatnonzero(_is_permuted(group, p, options)).tolist():
        compound = int(group.members[i])
        exchanged[i] = _exchange(group, compound, null, generator_of(group.design.wells[compound]))
    if options.null is Null.PERMUTATION:
        return CheckedP(p=exchanged, assumes_equal_scatter=never, equal_scatter=exchanged, cautious=exchanged)
    p = np.maximum(p, exchanged)
    evident, cautious = _own_variances(group, p, options)
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


def _is_permuted(group: DesignGroup, p: Float, options: CurveOptions) -> Mask:
    """Return for which compounds (B,) the wells are exchanged between the doses."""
    if options.null is Null.PERMUTATION:
        return np.ones(p.size, dtype=bool)
    is_replicated = group.design.counts[group.members[0]].max() > 1
    return np.asarray((p <= _CHECKED_P) & (not is_replicated))


def _exchange(group: DesignGroup, compound: int, null: ActivityNull, rng: np.random.Generator) -> float:
    """Return the p-value of one compound by the permutation test."""
    design = group.design
    wells, counts = design.wells[compound], design.counts[compound]
    if counts.max() == 1:
        return permutation_p(group.x, wells[:, 0], null.grid, rng)
    present = design.present[compound] > 0
    units = [np.asarray(row[mask]) for row, mask in zip(wells, present, strict=True)]
    # Wells that are parts of one replicate are equal, and are exchanged together.
    units = [np.unique(unit) if unit.size > n else unit for unit, n in zip(units, counts, strict=True)]
    return replicate_permutation_p(group.x, units, null, rng)


def _own_variances(group: DesignGroup, p: Float, options: CurveOptions) -> tuple[Float, Float]:
    """Return the p-values (B,), (B,) in spite of the doses with evidently more scatter, and of any doses.

    They are 0 where p is above the level already, and where the doses are too few to leave one out.
    """
    evident, cautious = np.zeros(p.size), np.zeros(p.size)
    checked = np.flatnonzero(p <= options.alpha)
    enough = 0.0 if options.null is Null.UNEQUAL else options.alpha
    # Compounds with outliers have weights of their own.
    rows, code = np.unique(group.design.data.weight[group.members[checked]], axis=0, return_inverse=True)
    for k in range(len(rows)):
        alike = checked[code.reshape(-1) == k]
        check = check_variances(_scatter(group, group.members[alike]), group.space, enough)
        evident[alike], cautious[alike] = check.evident, check.cautious
    return evident, cautious


def _scatter(group: DesignGroup, compounds: Index) -> DoseScatter:
    design = group.design
    data, wells = replace(design.data.take(compounds), x=group.x), design.wells[compounds]
    raw = dose_means(group.x, wells, design.present[compounds])
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
