"""Doses within measurement of each other are one dose; dilution steps never are."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_shared.plates.tables.quantities.doses import SAME_DOSE, group_doses, grouping_note, logarithm_note


def test_drops_of_a_dispenser_and_rounding_are_one_dose() -> None:
    assert group_doses([0.9975, 1.0, 1.0125, 2.9925, 3.0, 3.0375]) == {
        0.9975: 1.0,
        1.0: 1.0,
        1.0125: 1.0,
        2.9925: 3.0,
        3.0: 3.0,
        3.0375: 3.0,
    }
    assert set(group_doses([0.333, 0.3333, 0.33333]).values()) == {0.3333}


def test_the_most_frequent_dose_stands_for_the_group() -> None:
    assert set(group_doses([0.99, 1.0, 1.0, 1.01]).values()) == {1.0}


@pytest.mark.parametrize("factor", [1.2, 1.5, 2.0, 10**0.5])
def test_dilution_steps_stay_apart(factor: float) -> None:
    doses = list(np.geomspace(0.001, 0.001 * factor**9, 10))
    assert group_doses(doses) == {dose: dose for dose in doses}


def test_a_group_never_spans_more_than_the_distance() -> None:
    doses = list(np.geomspace(1, 3, 60))
    groups: dict[float, list[float]] = {}
    for dose, centre in group_doses(doses).items():
        groups.setdefault(centre, []).append(dose)
    assert all(max(group) <= min(group) * (1 + SAME_DOSE) for group in groups.values())


def test_zero_is_a_dose_of_its_own() -> None:
    assert group_doses([0.0, 0.0, 1e-9]) == {0.0: 0.0, 1e-9: 1e-9}


def test_the_user_hears_of_groups_but_not_of_rounding() -> None:
    note = grouping_note({"X": [1.0, 1.02], "Y": [1.0, 2.0]})
    assert (
        note
        == "Doses of 1 compound within 10 % of each other were read as one dose (for example, 1.02 counts as 1 in X)"
    )
    assert grouping_note({"X": [1.0, 1.0 + 1e-9]}) is None


def test_doses_within_a_decade_may_be_logarithms() -> None:
    assert "if they are logarithms" in str(logarithm_note({"X": [1.0, 2.0, 2.477, 3.0, 3.477, 4.477]}))
    assert logarithm_note({"X": [0.01, 0.1, 1, 10]}) is None
    assert logarithm_note({"X": [1.0, 2.0]}) is None
