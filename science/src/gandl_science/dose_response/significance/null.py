"""The null distributions of the activity test: how well Hill curves fit wells without an effect.

They are simulated once for a pattern of wells per dose. The wells are the same for all doses; what a Hill curve
explains of them is not. Compounds with doses of their own have a null each, and nulls are computed in batches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.significance.f_tests import anova_p
from gandl_science.dose_response.significance.shares import directions, hill_grids, share_of_best, unit_curves
from gandl_science.dose_response.significance.tube import tube_coefficients, tube_tail
from gandl_science.dose_response.solver.means import DoseMeans

_TAIL = 0.1
"""The p-value below which the tube formula replaces counting."""
_FAR = 3 * _TAIL
"""Counts near 0.1 vary by chance, so the formula is evaluated from this count on, and decides by itself."""


@dataclass(frozen=True, kw_only=True)
class FlatWells:
    """N simulated compounds without an effect, whose wells per dose are `counts` (D,), or the sums of their weights.

    `directions` (N, D) are their centred dose means with all variation scaled to 1, and `between` (N,) their squared
    lengths, in descending order: no curve explains a larger share. `by_dose` (N,) are their p-values of the analysis of
    variance (NaN without replicates). None of them depends on the doses.
    """

    counts: Float
    directions: Float
    between: Float
    by_dose: Float


@dataclass(frozen=True, kw_only=True)
class ActivityNull:
    """The null distributions of S designs that differ in their doses only.

    `shares` (S, N) are the simulated best shares in ascending order, `tail` (S, 3) the coefficients of the tube
    formula. `smaller_p` (S, N) is the simulated smaller p-value of the two tests, ascending; it is (S, 0) where there
    is no pure error.
    """

    n_wells: int
    shares: Float
    tail: Float
    smaller_p: Float

    def take(self, designs: Index) -> ActivityNull:
        """Return the nulls of the designs at these indices."""
        return replace(self, shares=self.shares[designs], tail=self.tail[designs], smaller_p=self.smaller_p[designs])


def simulate_wells(counts: Float, n_simulations: int, rng: np.random.Generator) -> FlatWells:
    """Simulate compounds without an effect: at least five wells at four or more doses, `counts` (D,) of each dose."""
    n_wells, n_doses = round(float(counts.sum())), int(counts.size)
    # Normal wells have independent means (variance 1 / wells) and a chi-squared pure error: no well need be drawn.
    mean = rng.normal(size=(n_simulations, n_doses)) / np.sqrt(counts)
    pure_df = n_wells - n_doses
    pure = rng.chisquare(pure_df, n_simulations) if pure_df else np.zeros(n_simulations)
    data = DoseMeans(np.zeros(n_doses), np.broadcast_to(counts, mean.shape), mean, pure)
    unordered = directions(data)
    between = (unordered**2).sum(axis=1)
    order = np.argsort(-between)
    return FlatWells(counts=counts, directions=unordered[order], between=between[order], by_dose=anova_p(data)[order])


def simulate_null(
    x: Float, counts: Float, space: SearchSpace, n_simulations: int, rng: np.random.Generator
) -> ActivityNull:
    """Simulate the null of a design with wells per dose `counts` (D,): at least five wells, at least four doses."""
    return activity_null(x[None], simulate_wells(counts, n_simulations, rng), space)


def activity_null(
    x: Float, wells: FlatWells, space: SearchSpace, tail: Float | None = None, floor: Float | None = None
) -> ActivityNull:
    """Return the nulls at the log10 doses x (S, D), from simulated wells that all designs with these counts share.

    The bounds of the search, one number or (S,), are such that all grids have equally many points. `tail` (S, 3) are
    the coefficients of the tube formula, where they were computed before. Shares below `floor` (S,) need not be exact:
    they are 0 for compounds that no curve can bring up to it.
    """
    units = unit_curves(hill_grids(x, space), wells.counts)
    shares = np.zeros((len(x), len(wells.between)))
    floors = np.zeros(len(x)) if floor is None else floor
    for unit, own, n in zip(units, shares, np.searchsorted(-wells.between, -floors, side="right"), strict=True):
        own[:n] = share_of_best(unit, wells.directions[:n])
    order = np.argsort(shares, axis=1)
    null = ActivityNull(
        n_wells=round(float(wells.counts.sum())),
        shares=np.take_along_axis(shares, order, axis=1),
        tail=tube_coefficients(x, wells.counts, space) if tail is None else tail,
        smaller_p=np.empty((len(x), 0)),
    )
    if not np.isfinite(wells.by_dose).all():
        return null
    return replace(null, smaller_p=np.sort(np.minimum(_own_p(null), wells.by_dose[order]), axis=1))


def _own_p(null: ActivityNull) -> Float:
    """Return the p-values (S, N) of the simulated shares themselves."""
    size = null.shares.shape[1]
    # The shares ascend, so that a share is counted by its place and only the last ones are far.
    counted = (size - np.arange(size) + 1.0) / (size + 1.0)
    far = int(np.searchsorted(-counted, -_FAR, side="right"))
    p = np.tile(np.maximum(counted, _TAIL), (len(null.shares), 1))
    tail = tube_tail(null.shares[:, far:], null.n_wells, null.tail[:, None])
    p[:, far:] = np.where(tail < _TAIL, tail, p[:, far:])
    return p


def share_p(null: ActivityNull, share: Float) -> Float:
    """Return P (S * M,) of shares at least this large, M for each null in order.

    They are counted where they are common, and follow the tube formula below 0.1.
    """
    own, size = share.reshape(len(null.shares), -1), null.shares.shape[1]
    # The observed curve counts as one of the simulated ones, so that p is never zero (Davison and Hinkley 1997).
    counted = (size - ranks(null.shares, own, side="left") + 1.0) / (size + 1.0)
    far = counted < _FAR
    tail = tube_tail(own[far], null.n_wells, null.tail[np.nonzero(far)[0]])
    p = np.maximum(counted, _TAIL)
    p[far] = np.where(tail < _TAIL, tail, p[far])
    return np.asarray(p.reshape(-1))


def ranks(ascending: Float, values: Float, side: Literal["left", "right"]) -> Index:
    """Return the places (S, M) at which values (S, M) would be inserted into ascending rows (S, N)."""
    rows = zip(ascending, values, strict=True)
    return np.stack([np.searchsorted(row, own, side=side) for row, own in rows])
