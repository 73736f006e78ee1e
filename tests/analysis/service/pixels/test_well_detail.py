"""What is known of a well: its sites, files, tiles and neighbours."""

from __future__ import annotations

import pytest
from gandl_analysis.service.pixels.pictures import Pictures
from gandl_analysis.service.pixels.well_detail import WellDetail, unavailable, well_detail
from gandl_analysis.service.results import Results
from gandl_shared.errors import NotFound

from tests.analysis.service.stack import Stack


def pictures(stack: Stack) -> Pictures:
    return Pictures(stack.database, stack.store, stack.settings.image_root)


def detail(stack: Stack, well: str) -> WellDetail:
    results = Results(stack.database, stack.store)
    return well_detail(results, pictures(stack), results.of(stack.first), "P1", well)


def test_a_well_has_its_sites_files_and_tiles(shared_stack: Stack) -> None:
    well = detail(shared_stack, "C04")
    (site,) = well.sites
    assert [(each.channel, each.names) for each in site.files] == [
        ("c1", ("P1/C04_s1_w1.tif",)),
        ("c2", ("P1/C04_s1_w2.tif",)),
    ]
    assert (site.name, site.has_thumbnail, site.quality) == ("1", True, None)
    assert site.score is not None
    assert [tile.tile for tile in well.tiles] == [0, 1, 2, 3]
    assert sum(tile.efficacy or 0.0 for tile in well.tiles) / 4 == pytest.approx(site.score.efficacy, abs=1e-5)


def test_neighbours_are_one_row_and_column_away(shared_stack: Stack) -> None:
    corner, middle = detail(shared_stack, "A01"), detail(shared_stack, "C04")
    assert [well.well for well in corner.neighbours] == ["A01", "A02", "B01", "B02"]
    assert [well.well for well in middle.neighbours] == [f"{row}0{n}" for row in "BCD" for n in (3, 4, 5)]
    assert (corner.previous, corner.following.well if corner.following else None) == (None, "A02")
    last = detail(shared_stack, "H08")
    assert (last.previous.well if last.previous else None, last.following) == ("H07", None)


def test_a_well_that_is_not_on_the_plate_is_not_found(shared_stack: Stack) -> None:
    with pytest.raises(NotFound, match="has no well 'Z01' on plate 'P1'"):
        detail(shared_stack, "Z01")


def test_pixels_that_cannot_be_shown_say_why(shared_stack: Stack) -> None:
    door = pictures(shared_stack)
    (record,) = door.site_records(shared_stack.first, "P1", "C04")
    # The seeded screens name a folder outside the root of this copy.
    assert "outside the image folder" in (unavailable(door, door.screen(shared_stack.first), record) or "")
