"""One site: bytes, key and tiles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_shared.imaging import IntensityLimits, Preprocessing, Reduction
from gandl_shared.plates import Site
from gandl_worker.sites import SiteTiles, Unchanged, Unreadable, load, load_inside, vector_key

from tests.worker.bench import Bench

PREPROCESSING = Preprocessing(limits=IntensityLimits(low=(0.0, 0.0), high=(255.0, 255.0)), size=16, downscale=1)


def site_of(bench: Bench, well: str = "A01") -> Site:
    names = tuple(bench.plate.image(well, channel=channel).name for channel in (1, 2))
    return Site(plate="P1", well=well, site="1", root=bench.plate.images / "P1", names=names)


def test_a_site_has_tiles_with_their_corners_in_pixels_of_the_file(bench: Bench) -> None:
    halved = Preprocessing(limits=PREPROCESSING.limits, size=8, downscale=2)
    tiles = load(site_of(bench), halved, "model", None)
    assert isinstance(tiles, SiteTiles)
    assert tiles.tiles.shape == (4, 2, 8, 8)
    assert tiles.origins == ((0, 0), (0, 16), (16, 0), (16, 16))
    assert (tiles.contrast.shape, tiles.metrics.sharpness.shape) == ((4,), (2,))


def test_a_site_whose_key_is_stored_is_not_decoded(bench: Bench) -> None:
    first = load(site_of(bench), PREPROCESSING, "model", None)
    assert isinstance(first, SiteTiles)
    assert load(site_of(bench), PREPROCESSING, "model", first.key) == Unchanged(first.key)
    assert isinstance(load(site_of(bench), PREPROCESSING, "another model", first.key), SiteTiles)


@pytest.mark.parametrize(
    ("contents", "preprocessing", "model"),
    [
        ((b"b", b"a"), PREPROCESSING, "model"),
        ((b"ab",), PREPROCESSING, "model"),
        ((b"a", b"b"), Preprocessing(limits=PREPROCESSING.limits, size=8, downscale=1), "model"),
        ((b"a", b"b"), PREPROCESSING, "another model"),
    ],
)
def test_the_key_changes_with_everything_that_changes_the_vectors(
    contents: tuple[bytes, ...], preprocessing: Preprocessing, model: str
) -> None:
    key = vector_key((b"a", b"b"), PREPROCESSING, "model")
    assert vector_key((b"a", b"b"), PREPROCESSING, "model") == key
    assert vector_key(contents, preprocessing, model) != key


def test_a_reduction_enters_the_key_and_no_reduction_does_not() -> None:
    reduced = {r: replace(PREPROCESSING, reduction=r) for r in Reduction}
    keys = {vector_key((b"a", b"b"), each, "model") for each in reduced.values()}
    assert len(keys) == len(Reduction)
    # This key was stored before planes could be reduced.
    assert PREPROCESSING.key == "aac1074b3b9e6a046bf62e1c3b93b79b7b61226d09fad5b0a08b346c455a8863"


def test_focal_planes_are_reduced_before_anything_else(bench: Bench) -> None:
    one, two = site_of(bench, "A01"), site_of(bench, "A02")
    names = (one.names[0], two.names[0], one.names[1])
    stacked = replace(one, names=names, planes=(2, 1))
    of_stack = load(stacked, replace(PREPROCESSING, reduction=Reduction.MAX), "model", None)
    planes = [load(site, PREPROCESSING, "model", None) for site in (one, two)]
    assert isinstance(of_stack, SiteTiles)
    first, second = (each.tiles[:, 0] for each in planes if isinstance(each, SiteTiles))
    np.testing.assert_array_equal(of_stack.tiles[:, 0], np.maximum(first, second))


def test_a_site_that_lacks_a_channel_is_parked_with_its_reason(bench: Bench) -> None:
    site = replace(site_of(bench), names=("c2.tif",), planes=(0, 1))
    unreadable = load_inside(site, PREPROCESSING, "model", None)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.error == "site 1 of well A01 lacks the channel of the model's input 1; add its file"


def test_a_damaged_file_is_named(bench: Bench) -> None:
    site = site_of(bench)
    (site.root / site.names[1]).write_bytes(b"II*\0 damaged")
    unreadable = load(site, PREPROCESSING, "model", None)
    assert isinstance(unreadable, Unreadable)
    assert site.names[1] in unreadable.error
