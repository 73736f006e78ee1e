"""The activity test of all compounds of a design, with the checks of what it assumes of the noise."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.designs import Design
from gandl_science.dose_response.noise.checks import check_p, exchanged_p
from gandl_science.dose_response.noise.generators import derive_generator
from gandl_science.dose_response.noise.replication import TestedGroup
from gandl_science.dose_response.records.inputs import CurveOptions
from gandl_science.dose_response.significance.activity import FEW_SIMULATIONS, NullSimulations, activity_batches
from gandl_science.dose_response.significance.null import FlatWells, simulate_wells

_UNEVEN_NULLS = 4
"""A design with missing wells often belongs to one compound: its null has so many times fewer simulated curves."""


@dataclass(frozen=True, kw_only=True)
class CompoundActivity:
    """The p-values (B,) of the compounds of a design: of the activity test, and of its Hill part alone.

    `assumes_equal_scatter`: p is significant only if all doses scatter equally. `equal_scatter` is p if they do,
    `cautious` is p if any of them may have a scatter of its own. All p-values are NaN where the design allows no test.
    """

    p: Float
    hill: Float
    equal_scatter: Float
    cautious: Float
    assumes_equal_scatter: Mask

    @classmethod
    def untested(cls, count: int) -> CompoundActivity:
        """Return compounds that were not tested."""
        p, hill, equal_scatter, cautious = np.full((4, count), np.nan)
        never = np.zeros(count, dtype=bool)
        return cls(p=p, hill=hill, equal_scatter=equal_scatter, cautious=cautious, assumes_equal_scatter=never)


def compound_activity(
    design: Design, misfit: Float, options: CurveOptions, seed: int
) -> tuple[CompoundActivity, list[TestedGroup]]:
    """Return the p-values of the activity test; there is one simulated null per pattern of wells per dose.

    `misfit` (B,) is that of the best Hill curves. A group holds compounds that were tested together, with their nulls.
    """
    activity, groups = CompoundActivity.untested(len(design.counts)), []
    patterns: dict[tuple[float, ...], list[int]] = defaultdict(list)
    nominal = design.nominal.tolist()
    for compound in np.flatnonzero(design.allows_hill).tolist():
        patterns[tuple(nominal[compound])].append(compound)
    for pattern, compounds in patterns.items():
        simulations = _simulations(np.array(pattern), options, seed)
        groups += _test_pattern(design, np.array(compounds), misfit, simulations, options, seed, activity)
    return activity, groups


def _test_pattern(
    design: Design,
    members: Index,
    misfit: Float,
    simulations: NullSimulations,
    options: CurveOptions,
    seed: int,
    activity: CompoundActivity,
) -> list[TestedGroup]:
    """Test the compounds `members`, which share their wells per dose, and write their p-values into `activity`."""
    p, exchanged = np.empty(len(misfit)), np.zeros(len(misfit))
    groups = []
    for batch in activity_batches(design.data.take(members).x, design.space.take(members), members.size):
        # From the place among the members to the index of the compound.
        own = replace(batch, members=members[batch.members])
        result, null = simulations.test(own, design.data.take(own.curves), misfit[own.curves])
        p[own.curves], activity.hill[own.curves] = result.p, result.hill
        exchanged[own.curves] = exchanged_p(
            design, own, result.p, null, options, lambda wells: derive_generator(seed, wells)
        )
        groups.append((own, null))
    checked = check_p(design, members, p[members], exchanged[members], options)
    # Weights say how wells scatter, and wells of unequal weights must not be exchanged.
    weighted = design.has_weights[members]
    activity.p[members] = np.where(weighted, p[members], checked.p)
    activity.equal_scatter[members] = np.where(weighted, p[members], checked.equal_scatter)
    activity.cautious[members] = np.where(weighted, p[members], checked.cautious)
    activity.assumes_equal_scatter[members] = checked.assumes_equal_scatter & ~weighted
    excess = np.ones(len(misfit))
    excess[members] = checked.p / np.maximum(p[members], 1e-300)
    return [TestedGroup(batch=batch, null=null, excess=excess[batch.curves]) for batch, null in groups]


def _simulations(counts: Float, options: CurveOptions, seed: int) -> NullSimulations:
    """Return the simulated wells for designs with these wells per dose (D,)."""
    # A vehicle and the doses may have different numbers; a pattern of several numbers comes from missing wells.
    n_many = options.n_null if np.unique(counts).size <= 2 else options.n_null // _UNEVEN_NULLS

    def draw(n: int) -> FlatWells:
        return simulate_wells(counts, n, derive_generator(seed, counts))

    return NullSimulations(few=draw(min(n_many, FEW_SIMULATIONS)), draw_many=lambda: draw(n_many))
