"""The fields of a well depend on the design, the seed and the position only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl.simulate import Effects, WellState
from gandl.simulate.plates.layout import plan
from gandl.simulate.plates.wells import draw_sites, jittered, jobs

from tests.cli.simulate.tiny import TINY


def test_wells_scatter_around_the_expected_fractions() -> None:
    rng = np.random.default_rng(0)
    states = [jittered(WellState(rescue=0.3, toxicity=0.6), 0.004, rng) for _ in range(4000)]
    assert np.mean([s.rescue for s in states]) == pytest.approx(0.3, abs=0.002)
    assert np.std([s.toxicity for s in states]) == pytest.approx(np.sqrt(0.6 * 0.4 * 0.004), rel=0.05)


def test_a_well_is_drawn_alike_alone_and_with_a_different_design_of_others() -> None:
    first, second = (list(jobs(design, plan(design)[0])) for design in (TINY, replace(TINY, sites=2)))
    (image,) = draw_sites(first[17])
    images = list(draw_sites(second[17]))
    assert (images[0] == image).all() and (images[1] != image).any()
    assert (next(iter(draw_sites(first[18]))) != image).any()


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_a_pure_state_has_no_spread(mean: float) -> None:
    state = WellState(rescue=mean, toxicity=0.0)
    assert jittered(state, Effects().state, np.random.default_rng(0)) == state
