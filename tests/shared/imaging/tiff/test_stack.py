"""The planes of a TIFF, by what its pages say."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging.tiff import Stack, images_of, open_tiff
from gandl_shared.testing import ome_tiff

FIELD = np.random.default_rng(0).integers(0, 60000, (3, 6, 5), dtype=np.uint16)


def stack(content: bytes) -> tuple[Stack, np.ndarray]:
    with open_tiff(io.BytesIO(content)) as tiff:
        (planes,) = images_of(tiff, "a.tif")
        return planes, planes.read()


def tiff_of(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="minisblack", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("metadata", [{"axes": "CYX"}, {"axes": "ZYX"}, {"axes": "TYX"}])
def test_axes_of_a_plain_stack_are_those_that_were_written(metadata: dict[str, str]) -> None:
    planes, pixels = stack(tiff_of(FIELD, metadata=metadata))
    assert (planes.axes, planes.shape, planes.dtype) == (metadata["axes"], (3, 6, 5), "uint16")
    np.testing.assert_array_equal(pixels, FIELD)


def test_an_ome_tiff_is_read_by_its_xml() -> None:
    planes, pixels = stack(ome_tiff(FIELD))
    assert (planes.axes, planes.shape) == ("CYX", (3, 6, 5))
    np.testing.assert_array_equal(pixels, FIELD)


def test_a_single_page_has_no_channel_axis() -> None:
    planes, pixels = stack(tiff_of(FIELD[0]))
    assert (planes.axes, planes.shape) == ("YX", (6, 5))
    np.testing.assert_array_equal(pixels, FIELD[0])


def test_an_xml_of_another_size_than_the_page_is_refused() -> None:
    content = ome_tiff(FIELD).replace(b'SizeY="6"', b'SizeY="7"')
    with pytest.raises(InvalidImage, match="states 7×5 pixels but the page has 6×5"):
        stack(content)


def test_other_kinds_of_series_are_switched_off() -> None:
    """tifffile must not assemble a set of files by itself, whatever the first page claims to be."""
    with open_tiff(io.BytesIO(ome_tiff(FIELD))) as tiff:
        assert not tiff.is_ome
        assert not tiff.is_micromanager
        assert not tiff.is_ndtiff
