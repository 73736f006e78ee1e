"""Grey images of 8 bit with a palette: the byte is a place in the palette, and the grey is in the palette."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare_field, read_site
from PIL import Image

from tests.cases.plates import fields

PREPROCESSING = Preprocessing(limits=IntensityLimits(low=(2,), high=(200,)), size=64, downscale=2)


def write(path: Path, grey: np.ndarray, style: str) -> None:
    """Write greys as they are, by a palette sorted by frequency as optimising programs do, or under a green table."""
    order = np.argsort(-np.bincount(grey.ravel(), minlength=256), kind="stable")
    places = np.argsort(order)[grey].astype(np.uint8)
    if style == "png":
        image = Image.fromarray(places)
        image.putpalette(np.repeat(order[:, None], 3, 1).astype(np.uint8).tobytes())
        image.save(path, "PNG")
    elif style == "tif":
        colours = np.repeat((order * 257).astype(np.uint16)[None], 3, 0)
        tifffile.imwrite(path, places, photometric="palette", colormap=colours)
    else:
        green = np.zeros((3, 256), np.uint16)
        green[1] = np.arange(256) * 257
        tifffile.imwrite(path, grey, imagej=True, colormap=green)


@pytest.mark.parametrize("style", ["png", "tif", "lut"])
def test_a_palette_gives_the_prepared_field_of_the_greys(tmp_path: Path, style: str) -> None:
    for well, field in list(fields().items())[:3]:
        for channel in (0, 1):
            grey = (field[channel] >> 4).astype(np.uint8)
            path = tmp_path / f"{well}_w{channel + 1}.{'png' if style == 'png' else 'tif'}"
            write(path, grey, style)
            expected = prepare_field(grey[None], PREPROCESSING)
            np.testing.assert_array_equal(prepare_field(read_site([path]), PREPROCESSING), expected)
