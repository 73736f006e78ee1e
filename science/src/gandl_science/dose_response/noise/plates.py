"""Plates: wells of one plate share an error, so they are no independent replicates of a dose.

A plate may read higher or lower as a whole. Three designs are told apart by the graph whose nodes are doses and plates,
with an edge where a plate holds a dose (Searle 1987, "Linear Models for Unbalanced Data", on connected designs):

- Every dose is connected to every other through plates that hold both. Plate effects are estimated beside free dose
  means by least squares and subtracted; each costs a degree of freedom.
- No plate holds two doses, but some dose has several plates. The plate is the replicate: the wells of a plate become
  their mean.
- Anything else: what differs between two doses may as well be the difference of their plates, and no test can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from gandl_science.arrays import Float, Index


@dataclass(frozen=True, kw_only=True)
class PlateCorrection:
    """The wells of a compound without their plate effects: response, weight and replicate (n,).

    The weights sum to the wells less the degrees of freedom that the plates cost. `replicate` is the part of an
    independent replicate that a well is: 1, or one over the wells of its plate. `efficiency` is the variance of a
    difference between doses without plates, relative to that with estimated plate effects; 1 where every plate holds
    every dose equally often. `is_confounded` is true where dose and plate cannot be told apart; the responses are then
    as they were.
    """

    response: Float
    weight: Float
    replicate: Float
    efficiency: float = 1.0
    is_confounded: bool = False

    @classmethod
    def none(cls, response: Float, *, is_confounded: bool = False) -> PlateCorrection:
        """Return the wells as they are."""
        ones = np.ones(response.size)
        return cls(response=response, weight=ones, replicate=ones, is_confounded=is_confounded)


def correct_plates(dose: Index, plate: Index, response: Float) -> PlateCorrection:
    """Return the wells of one compound without plate effects; dose and plate (n,) are codes from 0 on."""
    n_doses, n_plates, n_wells = int(dose.max()) + 1, int(plate.max()) + 1, dose.size
    if n_plates == 1 or n_doses == 1:
        return PlateCorrection.none(response)
    graph = scipy.sparse.coo_array((np.ones(n_wells), (dose, n_doses + plate)), shape=(n_doses + n_plates,) * 2)
    n_parts = scipy.sparse.csgraph.connected_components(graph, directed=False)[0]
    if n_parts == 1:
        return _without_plate_effects(dose, plate, response)
    holds_one_dose = all(np.unique(dose[plate == k]).size == 1 for k in range(n_plates))
    if holds_one_dose and n_plates > n_doses:
        return _plate_means(plate, response)
    return PlateCorrection.none(response, is_confounded=True)


def _without_plate_effects(dose: Index, plate: Index, response: Float) -> PlateCorrection:
    n_doses, n_plates = int(dose.max()) + 1, int(plate.max()) + 1
    if dose.size <= n_doses + n_plates - 1:
        # Without a residual degree of freedom the plates would explain every difference.
        return PlateCorrection.none(response, is_confounded=True)
    # The first plate is the reference; the dose means are free, so that no curve is assumed.
    columns = np.zeros((dose.size, n_doses + n_plates - 1))
    rows = np.arange(dose.size)
    columns[rows, dose] = 1.0
    later = plate > 0
    columns[rows[later], n_doses + plate[later] - 1] = 1.0
    effects = np.concatenate([[0.0], np.linalg.lstsq(columns, response, rcond=None)[0][n_doses:]])[plate]
    # The mean level stays, because only differences between plates are errors.
    weight = np.full(dose.size, (dose.size - n_plates + 1) / dose.size)
    return PlateCorrection(
        response=response - effects + effects.mean(),
        weight=weight,
        replicate=np.ones(dose.size),
        efficiency=_efficiency(dose, plate),
    )


def _efficiency(dose: Index, plate: Index) -> float:
    """Return the harmonic mean of the canonical efficiency factors of the design (John and Williams 1995)."""
    incidence = np.zeros((int(dose.max()) + 1, int(plate.max()) + 1))
    np.add.at(incidence, (dose, plate), 1.0)
    root = np.sqrt(incidence.sum(axis=1))
    shared = incidence / incidence.sum(axis=0) @ incidence.T
    factors = np.linalg.eigvalsh(np.eye(root.size) - shared / np.outer(root, root))
    # The smallest factor is zero: it belongs to the mean of all doses.
    return float(1.0 / np.mean(1.0 / np.maximum(factors[1:], 1e-6)))


def _plate_means(plate: Index, response: Float) -> PlateCorrection:
    sizes = np.bincount(plate)
    means = np.bincount(plate, weights=response) / sizes
    return PlateCorrection(response=means[plate], weight=1.0 / sizes[plate], replicate=1.0 / sizes[plate])
