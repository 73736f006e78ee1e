"""A PNG with more chunks than its size explains is refused before Pillow reads it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from gandl_shared.errors import InvalidImage, TooLarge
from gandl_shared.imaging import decode
from gandl_shared.imaging.safety.png_chunks import check_chunks

from benchmarks.hostile.crafted import chunk, png_of
from benchmarks.hostile.seeds import png, valid_pngs


@pytest.mark.parametrize("content", valid_pngs().values(), ids=valid_pngs().keys())
def test_right_files_pass(content: bytes) -> None:
    file = io.BytesIO(content)
    check_chunks(file, "a.png")
    assert file.tell() == 0


def test_a_large_image_passes() -> None:
    noise = np.random.default_rng(0).integers(0, 2**16, (800, 800)).astype(np.uint16)
    np.testing.assert_array_equal(decode(png(noise), "a.png")[0], noise)


def test_what_is_no_png_is_not_called_one() -> None:
    with pytest.raises(InvalidImage, match=r"^a\.bmp is not an image gandl reads"):
        decode(b"BM" + bytes(66_612), "a.bmp")


def test_thousands_of_empty_chunks_are_refused() -> None:
    with pytest.raises(TooLarge, match=r"a\.png is a PNG of more than \d+ chunks"):
        decode(png_of([chunk(b"abCd", b"")] * 50_000), "a.png")
