"""Designs: who shares doses with whom, where each well is, and what a compound has enough wells for."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.designs import Design, designs
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData

OPTIONS = CurveOptions(robust=False)


def design_of(*datasets: DoseResponseData, options: CurveOptions = OPTIONS) -> Design:
    ((_, design),) = designs(datasets, options)
    return design


def compound(doses: list[float], replicates: int = 1, seed: int = 0) -> DoseResponseData:
    c = np.repeat(doses, replicates)
    return DoseResponseData(c, np.random.default_rng(seed).normal(size=c.size))


def test_compounds_with_equally_many_doses_and_wells_share_a_design_in_any_order_of_wells() -> None:
    first, other, more = compound([1, 2, 3, 4]), compound([1, 2, 3, 5, 7]), compound([1, 2, 3, 4], 2)
    backwards = DoseResponseData(first.concentration[::-1] * 10, first.response[::-1])
    groups = dict(designs([first, other, backwards, more], OPTIONS))
    assert set(groups) == {(0, 2), (1,), (3,)}
    shared = groups[0, 2]
    assert np.array_equal(shared.wells[0], shared.wells[1])
    assert shared.levels.tolist() == [[1, 2, 3, 4], [10, 20, 30, 40]]
    assert np.subtract(shared.space.high, shared.space.low) == pytest.approx(np.log10(4) + 2)


def test_wells_of_a_dose_come_first_and_slots_lead_back_to_them() -> None:
    data = DoseResponseData(np.array([2.0, 1.0, 2.0, 1.0, 2.0]), np.array([20.0, 10.0, 21.0, 11.0, 22.0]))
    design = design_of(data)
    assert design.wells[0].tolist() == [[10.0, 11.0, 0.0], [20.0, 21.0, 22.0]]
    assert design.present[0].tolist() == [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
    assert design.counts[0].tolist() == [2.0, 3.0]
    dose, replicate = design.slots[0]
    assert np.array_equal(design.wells[0, dose, replicate], data.response)


def test_weights_come_back_in_the_order_of_the_wells() -> None:
    c = np.repeat([3.0, 1.0, 2.0], 6)
    y = np.random.default_rng(0).normal(size=18)
    y[4] = 1000.0
    design = design_of(DoseResponseData(c, y), options=CurveOptions())
    assert np.flatnonzero(design.weights_of(0) < 1.0).tolist() == [4]


def test_the_search_space_is_the_tested_doses_and_a_margin_without_zero() -> None:
    design = design_of(compound([0.0, 0.1, 1.0, 10.0]), options=CurveOptions(margin=0.5))
    assert (design.space.low, design.space.high) == (-1.5, 1.5)
    only_zero = design_of(compound([0.0], 3))
    assert (only_zero.space.low, only_zero.space.high) == (-1.0, 1.0)


def test_what_a_compound_has_enough_wells_for() -> None:
    six = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0]
    cases = {
        "six doses in duplicate": (compound(six, 2), True, True),
        "six single wells": (compound(six), True, False),
        "five doses in duplicate": (compound(six[:5], 2), True, False),
        "four single wells": (compound(six[:4]), False, False),
        "three doses in triplicate": (compound(six[:3], 3), False, False),
    }
    for name, (data, hill, gain_loss) in cases.items():
        design = design_of(data)
        assert (design.allows_hill[0], design.allows_gain_loss[0]) == (hill, gain_loss), name
