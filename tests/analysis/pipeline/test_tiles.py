"""Tiles by well: which are used, subsets of them, and normalisation by plate."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gandl_analysis.pipeline.image_qc import ImageQc
from gandl_analysis.pipeline.tiles import WellTiles, normalised_tiles, tiles_of
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Role

from tests.analysis.simulated_screens import SITES, TILES, Simulated

TWO = Simulated(lines=("U2OS", "HRCE"), plates=("P1", "P2"), plates_apart=5.0)
PER_WELL = SITES * TILES


def all_tiles(simulated: Simulated = TWO) -> WellTiles:
    return tiles_of(simulated.profiles(), simulated.wells())


def image_qc(simulated: Simulated, failed: str, *, emptied: bool) -> ImageQc:
    """All tiles of one well of plate P1 fail."""
    profiles = simulated.profiles()
    key = ("P1", failed)
    dropped = np.array([k == key for k in zip(profiles.plates, profiles.wells, strict=True)], bool)
    return ImageQc(
        plates={}, dropped=dropped, failed={key: "image QC: empty"}, emptied=frozenset({key} if emptied else ())
    )


def test_each_tile_knows_its_well_and_its_row_in_the_profiles() -> None:
    profiles, tiles = TWO.profiles(), all_tiles()
    names = [tiles.wells[i].well for i in tiles.well.tolist()]
    assert names == profiles.wells.tolist()
    np.testing.assert_array_equal(tiles.profile_rows, np.arange(len(profiles)))


def test_tiles_of_other_wells_are_left_out() -> None:
    wells = [w for w in TWO.wells() if w.well != "A01"]
    tiles = tiles_of(TWO.profiles(), wells)
    assert len(tiles.well) == len(wells) * PER_WELL
    assert "A01" not in set(TWO.profiles().wells[tiles.profile_rows].tolist())


def test_dropped_tiles_are_left_out() -> None:
    one = Simulated()
    tiles = tiles_of(one.profiles(), one.wells(), image_qc(one, "A01", emptied=False))
    assert len(tiles.well) == (len(one.wells()) - 1) * PER_WELL
    assert int(np.sum(~tiles.present)) == 1


def test_an_emptied_well_keeps_its_tiles_and_is_not_present() -> None:
    one = Simulated()
    tiles = tiles_of(one.profiles(), one.wells(), image_qc(one, "A01", emptied=True))
    assert len(tiles.well) == len(one.wells()) * PER_WELL
    assert [w.well for w, is_empty in zip(tiles.wells, tiles.emptied, strict=True) if is_empty] == ["A01"]
    assert [w.well for w, present in zip(tiles.wells, tiles.present, strict=True) if not present] == ["A01"]
    rest = tiles.without_emptied
    assert len(rest.wells) == len(one.wells()) and len(rest.well) == (len(one.wells()) - 1) * PER_WELL


def test_a_cell_line_keeps_its_own_tiles() -> None:
    tiles = all_tiles()
    part = tiles.of_cell_line("HRCE")
    assert {w.cell_line for w in part.wells} == {"HRCE"}
    assert len(part.well) == len(part.wells) * PER_WELL
    np.testing.assert_array_equal(part.vectors, tiles.vectors[part.profile_rows])
    assert set(part.well[:PER_WELL].tolist()) == {0}


def test_positions_are_counted_from_1() -> None:
    positions = all_tiles().positions
    assert (positions.plates[0], int(positions.rows[0]), int(positions.columns[0])) == ("P1", 1, 1)
    assert (int(positions.rows.max()), int(positions.columns.max())) == (8, 12)


def test_vectors_that_are_not_finite_name_their_well() -> None:
    profiles = Simulated().profiles()
    vectors = profiles.vectors.copy()
    vectors[PER_WELL] = np.nan
    second = profiles.wells[PER_WELL]
    with pytest.raises(NotEnoughData, match=f"vectors of well {second} hold NaN"):
        tiles_of(dataclasses.replace(profiles, vectors=vectors), Simulated().wells())


def test_normalisation_removes_differences_between_plates() -> None:
    tiles = all_tiles()
    assert normalised_tiles(tiles, "none") is tiles
    standardised = normalised_tiles(tiles, "standardise")
    plates = np.array(tiles.plates, object)[tiles.well]
    negative = np.array([w.role is Role.NEGATIVE for w in tiles.wells])[tiles.well]
    shift = [
        t.vectors[negative & (plates == "P2"), 2].mean() - t.vectors[negative & (plates == "P1"), 2].mean()
        for t in (tiles, standardised)
    ]
    assert shift[0] > 4
    assert abs(shift[1]) < 0.1


def test_normalisation_needs_negative_controls_on_each_plate() -> None:
    one = dataclasses.replace(TWO, roles=(Role.POSITIVE, Role.TREATMENT))
    with pytest.raises(NotEnoughData, match="normalisation standardise, cell line U2OS: .*give normalisation none"):
        normalised_tiles(all_tiles(one), "standardise")
