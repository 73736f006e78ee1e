"""Thumbnails by site, and the cells of a sprite."""

from __future__ import annotations

import io

import numpy as np
import pytest
from gandl_analysis.figures.pixels.encoding import PictureFormat
from gandl_analysis.service.pixels import thumbnails
from gandl_analysis.service.pixels.pictures import Pictures
from gandl_analysis.service.pixels.requests import view_of
from gandl_analysis.service.pixels.thumbnails import SpriteRequest
from gandl_shared.errors import TooLarge
from gandl_shared.plates import SiteId
from PIL import Image

from tests.analysis.service.stack import Stack


@pytest.fixture
def door(shared_stack: Stack) -> Pictures:
    return Pictures(shared_stack.database, shared_stack.store, shared_stack.settings.image_root)


def test_thumbnails_of_named_sites_come_from_their_batches(shared_stack: Stack, door: Pictures) -> None:
    names = {SiteId("P1", "C04", "1"), SiteId("P1", "H08", "1"), SiteId("P1", "A01", "9")}
    of_sites = list(door.thumbnails.of_sites(shared_stack.first, names))
    assert [each.site.well for each in of_sites] == ["C04", "H08"]
    assert list(door.thumbnails.of_sites(shared_stack.waiting, names)) == []
    assert door.has_thumbnails(shared_stack.first)
    assert not door.has_thumbnails(shared_stack.waiting)


def test_a_sprite_of_another_site_is_dark_where_no_well_has_it(shared_stack: Stack, door: Pictures) -> None:
    screen = door.screen(shared_stack.first)
    request = SpriteRequest(view=view_of(screen.channels, []), edge=8, site="2", kind=PictureFormat.PNG)
    assert door.sprite_index(screen, "P1", request).wells == ()
    picture = np.asarray(Image.open(io.BytesIO(door.sprite(screen, "P1", request).render())))
    assert picture.shape == (8 * 8, 12 * 8, 3)
    assert (picture == 24).all()


def test_equal_requests_have_equal_tags_and_others_do_not(shared_stack: Stack, door: Pictures) -> None:
    screen = door.screen(shared_stack.first)
    grey, both = view_of(screen.channels, ["1"]), view_of(screen.channels, [])
    tags = [
        door.sprite(screen, "P1", SpriteRequest(view=view, edge=edge)).etag for view in (grey, both) for edge in (8, 16)
    ]
    assert len(set(tags)) == 4
    assert door.sprite(screen, "P1", SpriteRequest(view=grey, edge=8)).etag == tags[0]


@pytest.mark.parametrize(
    ("grid", "edge", "fits"), [((32, 48), 128, True), ((702, 999), 8, False), ((1, 3000), 8, False)]
)
def test_a_well_far_away_does_not_fill_the_memory(grid: tuple[int, int], edge: int, fits: bool) -> None:
    if fits:
        thumbnails._check_size(grid, edge)
        return
    with pytest.raises(TooLarge, match="take a smaller edge"):
        thumbnails._check_size(grid, edge)
