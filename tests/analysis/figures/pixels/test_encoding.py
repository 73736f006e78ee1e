"""Pictures as files."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from gandl_analysis.figures.pixels.encoding import PictureFormat, data_address, encode
from PIL import Image

PICTURE = np.linspace(0, 255, 16 * 16 * 3).reshape(16, 16, 3).astype(np.uint8)


def test_png_is_without_loss() -> None:
    decoded = Image.open(io.BytesIO(encode(PICTURE, PictureFormat.PNG)))
    np.testing.assert_array_equal(np.asarray(decoded), PICTURE)


@pytest.mark.parametrize("kind", [PictureFormat.WEBP, PictureFormat.JPEG])
@pytest.mark.parametrize("picture", [PICTURE, PICTURE[:, :, 0]])
def test_the_smaller_forms_are_close(kind: PictureFormat, picture: np.ndarray) -> None:
    decoded = Image.open(io.BytesIO(encode(picture, kind)))
    assert decoded.format == kind.value.upper()
    grey, expected = np.asarray(decoded.convert("L")), np.asarray(Image.fromarray(picture).convert("L"))
    assert np.abs(grey.astype(float) - expected).mean() < 4


def test_a_picture_fits_into_a_page() -> None:
    address = data_address(PICTURE, PictureFormat.PNG)
    start, data = address.split(",")
    assert start == "data:image/png;base64"
    assert base64.b64decode(data) == encode(PICTURE, PictureFormat.PNG)
