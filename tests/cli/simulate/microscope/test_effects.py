"""Nuisances of plates and wells."""

from __future__ import annotations

import numpy as np
import pytest
from gandl.simulate import Effects
from gandl.simulate.microscope.effects import draw_plate, draw_well


def test_a_factor_of_zero_turns_every_variable_nuisance_off() -> None:
    effects = Effects().scaled(0)
    assert set(vars(effects).values()) == {0.0}
    rng = np.random.default_rng(0)
    well = draw_well(effects, draw_plate(effects, rng, 5), (1.0, -1.0), 1.0, rng)
    assert well.gain.tolist() == well.offset.tolist() == [1.0] * 5
    assert (well.density, well.blur, well.shading) == (1.0, 0.8, 0.0)


def test_wells_at_the_edge_have_fewer_and_brighter_cells() -> None:
    effects = Effects(well_gain=0, density=0, gradient=0, edge=0.2)
    rng = np.random.default_rng(0)
    plate = draw_plate(effects, rng, 5)
    inner, edge = (draw_well(effects, plate, (0.0, 0.0), ring, rng) for ring in (0.0, 1.0))
    assert edge.density == pytest.approx(0.8 * inner.density)
    assert edge.gain == pytest.approx(1.1 * inner.gain)


def test_gains_of_wells_have_the_stated_spread() -> None:
    effects = Effects(well_gain=0.08, gradient=0, plate_gain=0)
    rng = np.random.default_rng(0)
    plate = draw_plate(effects, rng, 5)
    gains = np.log([draw_well(effects, plate, (0.0, 0.0), 0.0, rng).gain for _ in range(3000)])
    assert gains.std(axis=0) == pytest.approx(np.full(5, 0.08), rel=0.06)
    assert np.corrcoef(gains.T)[0, 1] == pytest.approx(0.36, abs=0.06)  # 0.6² of the variance is common
