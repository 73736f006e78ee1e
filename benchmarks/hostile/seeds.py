"""Valid files for a model of two channels and tiles of 16 × 16 at half resolution, from which hostile ones are made."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import tifffile
from gandl_shared.clients.wire import to_npy
from gandl_shared.testing import ome_tiff
from PIL import Image

FIELD = np.random.default_rng(7).integers(0, 200, (2, 64, 64)).astype(np.uint16)


def valid_tiffs() -> Mapping[str, bytes]:
    """Return TIFFs of every form that is read, by name."""
    forms: Mapping[str, dict[str, object]] = {
        "plain": {},
        "imagej": {"imagej": True, "metadata": {"axes": "CYX"}},
        "big": {"bigtiff": True},
        "motorola": {"byteorder": ">"},
        "lzw": {"compression": "lzw"},
        "deflate": {"compression": "zlib", "predictor": True},
        "packbits": {"compression": "packbits"},
        "zstd": {"compression": "zstd"},
        "tiles": {"tile": (32, 32), "compression": "zlib"},
        "strips": {"rowsperstrip": 8},
    }
    # tifffile writes a new UUID into each OME-TIFF, and the bodies must be the same in each run.
    return {"ome": ome_tiff(FIELD), **{name: tiff(FIELD, **options) for name, options in forms.items()}}


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    """Return a TIFF of grey planes."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="minisblack", **options)
    return buffer.getvalue()


def png(pixels: np.ndarray) -> bytes:
    """Return a PNG of one plane."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def valid_pngs() -> Mapping[str, bytes]:
    """Return PNGs of every form that is read, by name."""
    palette = Image.fromarray(FIELD[0].astype(np.uint8)).convert("P")
    buffer = io.BytesIO()
    palette.save(buffer, "PNG")
    return {"8": png(FIELD[0].astype(np.uint8)), "16": png(FIELD[0]), "palette": buffer.getvalue()}


def valid_arrays() -> Mapping[str, bytes]:
    """Return `.npy` bodies: ready tiles, fields of each type, and other byte and axis orders."""
    tiles = np.random.default_rng(8).integers(0, 256, (4, 2, 16, 16), dtype=np.uint8)
    fields = FIELD[None]
    return {
        "tiles": to_npy(tiles),
        "fields": to_npy(fields),
        "float": to_npy(fields.astype(np.float32)),
        "motorola": to_npy(fields.astype(">u2")),
        "fortran": to_npy(np.asfortranarray(fields)),
    }
