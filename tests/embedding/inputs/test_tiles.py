"""Arrays and uploads become tiles, or are refused before anything large is allocated or another file is read."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_embedding.inputs.tiles import (
    RequestLimits,
    explicit_limits,
    mean_per_image,
    tiles_of_array,
    tiles_of_uploads,
)
from gandl_embedding.inputs.uploads import CHANNEL, IMAGE, Upload
from gandl_shared.errors import Invalid, InvalidImage, TooLarge
from gandl_shared.imaging import Preprocessing, prepare
from gandl_shared.testing import FileGuard, binary_only_tiff, ome_tiff

from tests.embedding.fixtures.tiny_model import tiny_card

CARD = tiny_card(channels=2, size=16, downscale=2)
FIELD = np.random.default_rng(0).integers(0, 260, (2, 72, 72)).astype(np.uint16)
LIMITS_OF_MANY = RequestLimits(max_pixels=2**20, max_tiles=64)
LIMITS = RequestLimits(max_pixels=2 * 64 * 64, max_tiles=8)


def upload(image: np.ndarray, field: str = IMAGE, name: str = "a.tif") -> Upload:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, photometric="minisblack")
    return Upload(field=field, filename=name, content=buffer.getvalue())


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
    tiles = tiles_of_uploads(images, CARD, None, RequestLimits(max_pixels=2**20, max_tiles=8))
    assert (tiles.names, tiles.counts, tiles.tiles.shape) == (("a.tif", "b.tif"), (4, 1), (5, 2, 16, 16))


def test_channels_are_put_together_in_their_order() -> None:
    planes = np.stack([np.full((32, 32), 10, np.uint16), np.full((32, 32), 150, np.uint16)])
    whole = tiles_of_uploads([upload(planes)], CARD, None, LIMITS).tiles
    split = tiles_of_uploads([upload(plane, CHANNEL) for plane in planes], CARD, None, LIMITS).tiles
    np.testing.assert_array_equal(whole, split)
    assert len(np.unique(whole[0, 0])) == 1
    assert whole[0, 0, 0, 0] < whole[0, 1, 0, 0]


def test_each_image_of_a_file_is_an_image_of_the_answer() -> None:
    fields = np.random.default_rng(0).integers(0, 260, (3, 2, 32, 32)).astype(np.uint16)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, ome=True) as writer:
        for field in fields:
            writer.write(field, photometric="minisblack", metadata={"axes": "CYX"})
    file = Upload(field=IMAGE, filename="a.ome.tif", content=buffer.getvalue())
    several = tiles_of_uploads([file], CARD, None, LIMITS)
    single = tiles_of_uploads([upload(field) for field in fields], CARD, None, LIMITS)
    assert several.names == ("a.ome.tif#image=1", "a.ome.tif#image=2", "a.ome.tif#image=3")
    assert several.counts == (1, 1, 1)
    np.testing.assert_array_equal(several.tiles, single.tiles)


def test_requests_have_limits() -> None:
    with pytest.raises(TooLarge, match="more than 8 tiles"):
        tiles_of_array(np.zeros((9, 2, 16, 16), np.uint8), CARD, None, LIMITS)
    with pytest.raises(TooLarge, match="8320 pixels; at most 8192"):
        tiles_of_array(np.zeros((1, 2, 64, 65), np.uint16), CARD, None, LIMITS)
    with pytest.raises(TooLarge, match="8320 pixels"):
        tiles_of_uploads([upload(np.zeros((2, 64, 65), np.uint16))], CARD, None, LIMITS)
    several = [upload(np.zeros((2, 64, 64), np.uint16)) for _ in range(3)]
    with pytest.raises(TooLarge, match="more than 8 tiles"):
        tiles_of_uploads(several, CARD, None, RequestLimits(max_pixels=2**20, max_tiles=8))
    with pytest.raises(TooLarge, match="at most 0 are allowed"):
        tiles_of_uploads(several, CARD, None, LIMITS)
    with pytest.raises(TooLarge, match="more than 512 pages"):
        tiles_of_uploads([upload(np.zeros((600, 4, 4), np.uint16))], CARD, None, LIMITS)


def test_the_pixels_are_told_before_they_are_decoded() -> None:
    expected: list[int] = []
    images = [upload(np.zeros((2, 32, 32), np.uint16)), upload(np.zeros((2, 32, 64), np.uint16))]
    tiles_of_uploads(images, CARD, None, LIMITS, expected.append)
    assert expected == [2048, 4096]


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


@pytest.mark.parametrize("write", [lambda name: ome_tiff(FIELD, elsewhere=name), lambda n: binary_only_tiff(FIELD, n)])
def test_an_upload_is_embedded_from_its_own_pixels(
    named_file: tuple[Path, str],
    guard: FileGuard,
    capfd: pytest.CaptureFixture[str],
    write: Callable[[str], bytes],
) -> None:
    target, name = named_file
    file = Upload(field=IMAGE, filename="own.ome.tif", content=write(name))
    with guard.guarding(target):
        tiles = tiles_of_uploads([file], CARD, None, RequestLimits(max_pixels=2**20, max_tiles=8))
    expected = prepare(FIELD, Preprocessing(limits=CARD.limits, size=CARD.size, downscale=CARD.downscale))
    np.testing.assert_array_equal(tiles.tiles, expected)
    assert "zeroed" not in capfd.readouterr().err


def test_an_upload_without_pixels_of_its_own_is_refused(named_file: tuple[Path, str], guard: FileGuard) -> None:
    target, name = named_file
    planes = ome_tiff(FIELD, elsewhere=name).replace(b'FileName="own">urn:uuid:1', b'FileName="two">urn:uuid:2')
    with guard.guarding(target):
        for field, count in ((IMAGE, 1), (CHANNEL, 2)):
            files = [Upload(field=field, filename="own.ome.tif", content=planes)] * count
            with pytest.raises(InvalidImage, match="places no plane in this file"):
                tiles_of_uploads(files, CARD, None, LIMITS)


def test_one_bad_image_does_not_fail_the_others() -> None:
    bad = Upload(field=IMAGE, filename="bad.tif", content=b"II*\0")
    small = upload(np.zeros((2, 8, 8), np.uint16), name="small.tif")
    images = [upload(FIELD[:, :32, :32]), bad, small, upload(FIELD[:, :32, :64], name="z.tif")]
    limits = RequestLimits(max_pixels=2**20, max_tiles=64, keep_going=True)
    tiles = tiles_of_uploads(images, CARD, None, limits)
    assert tiles.names == ("a.tif", "bad.tif", "small.tif", "z.tif")
    assert tiles.counts == (1, 0, 0, 2)
    assert [error is None for error in tiles.errors] == [True, False, False, True]
    assert "bad.tif cannot be decoded" in (tiles.errors[1] or "")
    with pytest.raises(InvalidImage, match=r"bad\.tif"):
        tiles_of_uploads(images, CARD, None, RequestLimits(max_pixels=2**20, max_tiles=64))
    with pytest.raises(InvalidImage, match=r"bad\.tif"):
        tiles_of_uploads([bad], CARD, None, limits)
    np.testing.assert_array_equal(mean_per_image(np.ones((3, 1), np.float32), tiles.counts), [[1], [1]])


def test_channels_come_in_any_order_under_their_names() -> None:
    expected = tiles_of_uploads([upload(FIELD)], CARD, None, RequestLimits(max_pixels=2**20, max_tiles=64)).tiles
    swapped = RequestLimits(max_pixels=2**20, max_tiles=64, channels=("c1", "C0"))
    turned = FIELD[::-1]
    for tiles in (
        tiles_of_uploads([upload(turned)], CARD, None, swapped),
        tiles_of_uploads([upload(plane, CHANNEL) for plane in turned], CARD, None, swapped),
        tiles_of_uploads([upload(FIELD[1], "C1"), upload(FIELD[0], "c0")], CARD, None, LIMITS_OF_MANY),
        tiles_of_array(np.ascontiguousarray(turned)[None], CARD, None, swapped),
    ):
        np.testing.assert_array_equal(tiles.tiles, expected)
    with pytest.raises(Invalid, match="not those of tiny, each once: C0, C1"):
        tiles_of_uploads([upload(FIELD)], CARD, None, RequestLimits(max_pixels=9, max_tiles=9, channels=("C0", "x")))
    with pytest.raises(Invalid, match="there are C0 1, C1 2"):
        tiles_of_uploads([upload(FIELD[0], name) for name in ("C0", "C1", "C1")], CARD, None, LIMITS_OF_MANY)
