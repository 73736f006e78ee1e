"""The sample of tiles: its rule, and that it is read back."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.formats.tile_positions import MAX_TILES, read_tile_sample, sampled_rows, tile_sample_bytes
from gandl_shared.errors import Malformed
from gandl_shared.plates import SiteId
from gandl_shared.store import Profiles, join_profiles, site_profiles


def profiles_of(wells: int, tiles: int, features: int = 3) -> Profiles:
    """Return one site with `tiles` tiles for each of `wells` wells."""
    names = [SiteId("P", f"A{number + 1:02d}", "1") for number in range(wells)]
    corners = [(0, 8 * tile) for tile in range(tiles)]
    vectors = np.random.default_rng(0).normal(size=(wells, tiles, features)).astype(np.float32)
    return join_profiles([site_profiles(n, corners, "k", own) for n, own in zip(names, vectors, strict=True)])


def test_a_small_screen_has_all_of_its_tiles() -> None:
    assert sampled_rows(profiles_of(3, 4)).tolist() == list(range(12))


def test_a_large_one_has_the_same_number_of_each_well_evenly_spaced() -> None:
    # 4 wells of 9 tiles, at most 12: three of each, the middles of its three parts.
    assert sampled_rows(profiles_of(4, 9), limit=12).reshape(4, 3).tolist() == [
        [9 * well + tile for tile in (1, 4, 7)] for well in range(4)
    ]


def test_more_wells_than_tiles_are_thinned() -> None:
    rows = sampled_rows(profiles_of(20, 2), limit=5)
    assert len(rows) == 5
    assert len({row // 2 for row in rows.tolist()}) == 5


def test_four_plates_of_1536_wells_are_within_the_limit() -> None:
    plates = np.repeat(np.array([f"P{k}" for k in range(4 * 1536)], object), 18)
    large = profiles_of(1, 1)
    one = np.zeros(len(plates), np.int32)
    many = Profiles(
        plates=plates, wells=plates, sites=plates, tiles=one, y=one, x=one, keys=plates, vectors=large.vectors[one]
    )
    rows = sampled_rows(many)
    assert len(rows) == 3 * 4 * 1536 <= MAX_TILES
    assert set(np.bincount(rows // 18).tolist()) == {3}


def test_a_sample_is_read_back() -> None:
    whole = profiles_of(3, 4)
    efficacy = np.where(np.arange(12) == 5, np.nan, np.linspace(-1, 1, 12))
    sample = read_tile_sample(tile_sample_bytes(whole, {"efficacy": efficacy, "axis:C2": -efficacy}))
    assert (sample.total, len(sample.plates)) == (12, 12)
    assert (sample.wells[4], sample.sites[4], sample.tiles[5], sample.x[5]) == ("A02", "1", 1, 8)
    np.testing.assert_allclose(sample.positions["efficacy"], efficacy, rtol=1e-6)
    np.testing.assert_allclose(sample.positions["axis:C2"], -efficacy, rtol=1e-6)
    assert [name for name in sample.positions if name.startswith("component:")] == [
        "component:1",
        "component:2",
        "component:3",
    ]
    # Components are uncorrelated, and the first one has the largest variance.
    scores = np.column_stack([sample.positions[f"component:{k}"] for k in (1, 2, 3)])
    covariance = np.cov(scores.T)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-5)
    assert np.all(np.diff(np.diag(covariance)) < 0)


def test_another_file_is_refused() -> None:
    with pytest.raises(Malformed, match="analyse the screen again"):
        read_tile_sample(b"nothing")
