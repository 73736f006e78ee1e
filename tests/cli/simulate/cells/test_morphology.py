"""Traits of cells between the phenotypes."""

from __future__ import annotations

import numpy as np
import pytest
from gandl.simulate.cells.morphology import (
    CELL_LINES,
    HEALTHY_TRAITS,
    INFECTED_TRAITS,
    POISONED_TRAITS,
    STAINS,
    traits_of,
)


def test_traits_are_the_weighted_mean_of_the_phenotypes() -> None:
    weights = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.25, 0.25]], np.float32)
    traits = traits_of(weights)
    for name, values in vars(traits).items():
        pure = [getattr(phenotype, name) for phenotype in (HEALTHY_TRAITS, INFECTED_TRAITS, POISONED_TRAITS)]
        assert values == pytest.approx([*pure, 0.5 * pure[0] + 0.25 * (pure[1] + pure[2])], rel=1e-6), name


def test_every_cell_line_has_a_brightness_for_every_stain() -> None:
    assert {name: line.name for name, line in CELL_LINES.items()} == {name: name for name in CELL_LINES}
    assert all(len(line.brightness) == len(STAINS) for line in CELL_LINES.values())
