"""The images of an open file: all of them are read once, and none is complete without its pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import InvalidImage, TooLarge
from gandl_shared.imaging import open_images
from gandl_shared.imaging.tiff import reading_tiff

FIELDS = np.random.default_rng(0).integers(0, 60000, (3, 2, 8, 9)).astype(np.uint16)


def several_images() -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, ome=True) as writer:
        for field in FIELDS:
            writer.write(field, photometric="minisblack", metadata={"axes": "CYX"})
    return buffer.getvalue()


def test_all_images_of_a_file() -> None:
    with open_images(io.BytesIO(several_images()), "a.ome.tif") as images:
        assert [image.header.channels for image in images] == [2, 2, 2]
        for image, field in zip(images, FIELDS, strict=True):
            np.testing.assert_array_equal(image.read(), field)


def test_the_number_of_pages_is_limited() -> None:
    with pytest.raises(TooLarge, match="more than 5 pages"), open_images(io.BytesIO(several_images()), "a.tif", 5):
        pass


def test_a_file_without_its_end_is_refused() -> None:
    content = several_images()
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        last = tiff.pages[5]
        assert isinstance(last, tifffile.TiffPage)
        position = last.tags["StripByteCounts"].valueoffset
    longer = content[:position] + (len(content)).to_bytes(4, "little") + content[position + 4 :]
    with pytest.raises(InvalidImage, match=r"a\.tif is truncated"), reading_tiff(io.BytesIO(longer), "a.tif"):
        pass
