"""Scores of sites are means of their tiles, in the order of the profiles."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.pipeline.scores.sites import site_scores, tile_efficacy

from tests.analysis.scored_cell_lines import scored_cell_line
from tests.analysis.simulated_screens import SITES, TILES, Simulated


def test_the_score_of_a_site_is_the_mean_of_its_tiles() -> None:
    cell_line = scored_cell_line()
    scores = site_scores([cell_line])
    assert len(scores) == len(cell_line.wells) * SITES
    by_site = cell_line.scores.tile_on.reshape(-1, TILES).mean(axis=1)
    assert [s.on for s in scores] == pytest.approx(by_site.tolist())
    assert {s.n_tiles for s in scores} == {TILES}


def test_a_well_is_the_mean_of_its_sites() -> None:
    cell_line = scored_cell_line()
    scores = site_scores([cell_line])
    for well, efficacy in zip(cell_line.wells, cell_line.scores.efficacy, strict=True):
        sites = [s.efficacy for s in scores if s.well == well.well]
        assert np.mean([e for e in sites if e is not None]) == pytest.approx(efficacy)


def test_sites_have_the_order_of_the_profiles() -> None:
    profiles = Simulated().profiles()
    keys = dict.fromkeys(zip(profiles.wells.tolist(), profiles.sites.tolist(), strict=True))
    assert [(s.well, s.site) for s in site_scores([scored_cell_line()])] == list(keys)


def test_tiles_of_no_used_well_have_no_efficacy() -> None:
    cell_line = scored_cell_line()
    n = len(cell_line.scores.tile_on)
    efficacy = tile_efficacy([cell_line], n + 2)
    assert np.isnan(efficacy[n:]).all()
    np.testing.assert_allclose(efficacy[:n].reshape(-1, SITES * TILES).mean(axis=1), cell_line.scores.efficacy)
