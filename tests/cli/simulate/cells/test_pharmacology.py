"""The effect of a dose: Hill curves, efficacies and verdicts in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from gandl.simulate import Response, WellState
from gandl.simulate.cells.pharmacology import HEALTHY_WELL, INFECTED_WELL, hill


def test_hill_at_known_doses() -> None:
    assert hill(2.0, 2.0, 1.7) == pytest.approx(0.5)
    assert hill(20.0, 2.0, 1.0) == pytest.approx(10 / 11)
    assert hill(0.0, 2.0, 1.0) == 0.0


def test_efficacy_is_the_gain_loss_curve() -> None:
    response = Response(ec50_um=0.5, slope=1.5, max_rescue=0.9, toxicity_ec50_um=8.0, toxicity_slope=3.0)
    for dose in (0.05, 0.5, 3.0, 8.0, 30.0):
        gain = 1 / (1 + 10 ** (1.5 * (np.log10(0.5) - np.log10(dose))))
        loss = 1 / (1 + 10 ** (3.0 * (np.log10(dose) - np.log10(8.0))))
        assert response.at(dose).efficacy == pytest.approx(-1 + 2 * 0.9 * gain * loss)


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (Response(ec50_um=1.0), "active"),
        (Response(ec50_um=1.0, toxicity_ec50_um=10.0), "active_biphasic"),
        (Response(ec50_um=1.0, toxicity_ec50_um=1000.0), "active"),
        (Response(), "inactive"),
        (Response(toxicity_ec50_um=5.0), "toxic"),
        (Response(toxicity_ec50_um=5000.0), "inactive"),
    ],
)
def test_expected_verdicts(response: Response, verdict: str) -> None:
    assert response.expected_verdict(30.0) == verdict


@pytest.mark.parametrize(("state", "efficacy", "infected"), [(HEALTHY_WELL, 1.0, 0.03), (INFECTED_WELL, -1.0, 0.95)])
def test_controls_have_the_ends_of_the_scale(state: WellState, efficacy: float, infected: float) -> None:
    assert (state.efficacy, state.infected) == pytest.approx((efficacy, infected))


@pytest.mark.parametrize(
    ("response", "field"),
    [
        (Response(ec50_um=0.0), "ec50_um"),
        (Response(ec50_um=1.0, slope=-1.0), "slope"),
        (Response(ec50_um=1.0, max_rescue=1.5), "max_rescue"),
        (Response(toxicity_ec50_um=float("inf")), "toxicity_ec50_um"),
    ],
)
def test_an_impossible_value_is_named(response: Response, field: str) -> None:
    (problem,) = response.problems("X")
    assert problem.field == field
    assert problem.detail.startswith("X: ")
