"""The cells of a field: the truth of a well is met exactly on the mean."""

from __future__ import annotations

import numpy as np
import pytest
from gandl.simulate import CELL_LINES, WellState
from gandl.simulate.cells.pharmacology import HEALTHY_WELL, INFECTED_WELL
from gandl.simulate.cells.population import FOCUS_LENGTH, gathered, phenotypes, populate, scatter, smooth


@pytest.mark.parametrize("rescue", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_infected_fraction_of_the_cells_is_linear_in_rescue(rescue: float) -> None:
    """Severity of infected cells is Beta(6, 1.5), of others Beta(1, 14), so the mean weight is known in closed form."""
    rng = np.random.default_rng(3)
    state = WellState(rescue=rescue)
    infected = [phenotypes(scatter(128, 20.0, rng), state, rng)[:, 1].mean() for _ in range(60)]
    expected = state.infected * 6 / 7.5 + (1 - state.infected) / 15
    assert np.mean(infected) == pytest.approx(expected, abs=4 * np.std(infected) / np.sqrt(60) + 1e-3)


def test_infection_fuses_and_detaches_cells() -> None:
    rng = np.random.default_rng(1)
    line = CELL_LINES["VERO-like"]
    healthy = [populate(line, HEALTHY_WELL, 1.0, 256, rng) for _ in range(8)]
    infected = [populate(line, INFECTED_WELL, 1.0, 256, rng) for _ in range(8)]
    count = np.mean([len(c) for c in infected]) / np.mean([len(c) for c in healthy])
    assert 0.7 < count < 0.92
    fused = [np.mean(c.owner != np.arange(len(c))) for c in infected]
    assert np.mean(fused) > 0.1
    assert max(np.mean(c.owner != np.arange(len(c))) for c in healthy) < 0.1


def test_points_have_the_density_of_their_spacing() -> None:
    """One point per spacing², of which 96 % stay."""
    points = scatter(1000, 20.0, np.random.default_rng(0))
    inside = np.all((points > 0) & (points < 1000), axis=1).sum()
    assert inside == pytest.approx(0.96 * (1000 / 20.0) ** 2, rel=0.03)


def test_neighbours_share_a_focus_and_distant_cells_do_not() -> None:
    rng = np.random.default_rng(1)
    first = np.zeros((400, 2), np.float32)
    for distance, low, high in ((5.0, 0.7, 1.0), (5 * FOCUS_LENGTH, -0.2, 0.2)):
        values = [smooth(np.stack([first[0], first[0] + distance]), rng) for _ in range(400)]
        assert low < np.corrcoef(np.array(values).T)[0, 1] < high


def test_nuclei_of_a_syncytium_move_towards_its_owner() -> None:
    points = np.array([[0, 0], [10, 0], [50, 50]], np.float32)
    assert gathered(points, np.array([0, 0, 2], np.int32)) == pytest.approx(np.array([[0, 0], [7, 0], [50, 50]]))
