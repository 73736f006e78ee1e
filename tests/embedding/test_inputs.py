"""Arrays and uploads become tiles, or are refused before anything large is allocated."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from gandl_embedding.inputs import (
    CHANNEL,
    IMAGE,
    RequestLimits,
    Upload,
    explicit_limits,
    mean_per_image,
    tiles_of_array,
    tiles_of_uploads,
)
from gandl_shared.errors import Invalid, TooLarge

from tests.embedding.tiny_model import tiny_card

CARD = tiny_card(channels=2, size=16, downscale=2)
LIMITS = RequestLimits(max_pixels=2 * 64 * 64, max_tiles=8)


def upload(image: np.ndarray, field: str = IMAGE, name: str = "a.tif") -> Upload:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, photometric="minisblack")
    buffer.seek(0)
    return Upload(field=field, filename=name, file=buffer)


def test_uint8_of_the_tile_size_is_ready_unless_limits_are_sent() -> None:
    array = np.random.default_rng(0).integers(0, 256, (3, 2, 16, 16), dtype=np.uint8)
    ready = tiles_of_array(array, CARD, None, LIMITS)
    assert ready.tiles is array
    assert (ready.names, ready.counts, ready.limits) == (("[0]", "[1]", "[2]"), (1, 1, 1), None)
    fields = np.random.default_rng(0).integers(0, 256, (1, 2, 32, 32), dtype=np.uint8)
    limits = explicit_limits((0.0, 0.0), (100.0, 100.0), CARD)
    mapped = tiles_of_array(fields, CARD, limits, LIMITS)
    assert mapped.limits == limits
    assert (mapped.tiles.shape, mapped.counts) == ((1, 2, 16, 16), (1,))


def test_images_of_two_sizes_keep_their_counts() -> None:
    images = [upload(np.zeros((2, 64, 64), np.uint16)), upload(np.zeros((2, 32, 32), np.uint16), name="b.tif")]
    tiles = tiles_of_uploads(images, CARD, None, LIMITS)
    assert (tiles.names, tiles.counts, tiles.tiles.shape) == (("a.tif", "b.tif"), (4, 1), (5, 2, 16, 16))


def test_channels_are_put_together_in_their_order() -> None:
    planes = np.stack([np.full((32, 32), 10, np.uint16), np.full((32, 32), 150, np.uint16)])
    whole = tiles_of_uploads([upload(planes)], CARD, None, LIMITS).tiles
    split = tiles_of_uploads([upload(plane, CHANNEL) for plane in planes], CARD, None, LIMITS).tiles
    np.testing.assert_array_equal(whole, split)
    assert len(np.unique(whole[0, 0])) == 1
    assert whole[0, 0, 0, 0] < whole[0, 1, 0, 0]


def test_requests_have_limits() -> None:
    with pytest.raises(TooLarge, match="more than 8 tiles"):
        tiles_of_array(np.zeros((9, 2, 16, 16), np.uint8), CARD, None, LIMITS)
    with pytest.raises(TooLarge, match="8320 pixels; at most 8192"):
        tiles_of_array(np.zeros((1, 2, 64, 65), np.uint16), CARD, None, LIMITS)
    with pytest.raises(TooLarge, match="8320 pixels"):
        tiles_of_uploads([upload(np.zeros((2, 64, 65), np.uint16))], CARD, None, LIMITS)
    with pytest.raises(TooLarge, match="more than 8 tiles"):
        tiles_of_uploads([upload(np.zeros((2, 64, 64), np.uint16)) for _ in range(3)], CARD, None, LIMITS)


@pytest.mark.parametrize(
    ("low", "high"), [((1.0,), (2.0,)), ((5.0, 5.0), (5.0, 9.0)), ((0.0, 0.0), (1e-44, 1.0)), ((), (1.0, 1.0))]
)
def test_limits_that_leave_no_range_are_refused(low: tuple[float, ...], high: tuple[float, ...]) -> None:
    with pytest.raises(Invalid):
        explicit_limits(low, high, CARD)


def test_no_limits_are_those_of_the_card() -> None:
    assert explicit_limits((), (), CARD) is None
    assert tiles_of_uploads([upload(np.zeros((2, 32, 32), np.uint16))], CARD, None, LIMITS).limits == CARD.limits


def test_the_mean_of_each_image() -> None:
    vectors = np.array([[1.0], [3.0], [10.0]], np.float32)
    np.testing.assert_array_equal(mean_per_image(vectors, (2, 1)), np.array([[2.0], [10.0]], np.float32))
    assert mean_per_image(vectors[:0], ()).shape == (0, 1)


@pytest.mark.parametrize(
    ("filename", "name"),
    [("../../etc/x.tif", "x.tif"), ("..", "unnamed"), ("C:\\a\\b c.tif", "b_c.tif"), ("", "unnamed")],
)
def test_a_file_name_of_a_client_cannot_be_a_path(filename: str, name: str) -> None:
    tiles = tiles_of_uploads([upload(np.zeros((2, 32, 32), np.uint16), name=filename)], CARD, None, LIMITS)
    assert tiles.names == (name,)
