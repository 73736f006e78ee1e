"""The efficacies of tiles are read back well by well."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.formats.tile_scores import TileScore, read_tile_scores, tile_scores_bytes
from gandl_shared.errors import Malformed
from gandl_shared.plates import SiteId
from gandl_shared.store import join_profiles, site_profiles

SITES = (SiteId("P/1", "A01", "1"), SiteId("P/1", "A01", "2"), SiteId("P/1", "B01", "1"), SiteId("P2", "A01", "1"))
PROFILES = join_profiles([site_profiles(site, [(0, 0), (0, 16)], "k", np.zeros((2, 3), np.float32)) for site in SITES])
EFFICACY = np.array([-1.0, -0.5, np.nan, 0.25, 1.0, 0.75, 0.5, 0.0])


def test_the_tiles_of_a_well_come_in_the_order_of_site_and_tile() -> None:
    content = tile_scores_bytes(PROFILES, EFFICACY)
    assert read_tile_scores(content, "P/1", "A01") == (
        TileScore(site="1", tile=0, y=0, x=0, efficacy=-1.0),
        TileScore(site="1", tile=1, y=0, x=16, efficacy=-0.5),
        TileScore(site="2", tile=0, y=0, x=0, efficacy=None),
        TileScore(site="2", tile=1, y=0, x=16, efficacy=0.25),
    )
    assert [score.efficacy for score in read_tile_scores(content, "P2", "A01")] == [0.5, 0.0]
    assert read_tile_scores(content, "P1", "A01") == ()


def test_another_file_is_refused() -> None:
    with pytest.raises(Malformed, match="analyse the screen again"):
        read_tile_scores(b"nothing", "P", "A01")
