"""One vector for each image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl.featurizers.function import intensity_featurizer
from gandl.featurizers.tiles import TileForm
from gandl.probing.vectors import MIN_CHUNK, image_vectors, tiles_of
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging import IntensityLimits, Preprocessing
from gandl_shared.models import Channel
from gandl_shared.plates import Site, single_cells

PREPROCESSING = Preprocessing(limits=IntensityLimits(low=(0.0,), high=(255.0,)), size=16, downscale=1)
EMBEDDER = intensity_featurizer(TileForm(channels=(Channel(name="GFP"),), size=16))


def write(folder: Path, count: int) -> tuple[Site, ...]:
    """Write fields of 16 tiles each."""
    rng = np.random.default_rng(0)
    for number in range(count):
        tifffile.imwrite(folder / f"{number:02d}.tif", rng.integers(0, 256, (64, 64), np.uint8))
    return single_cells(folder)


def test_an_image_is_the_mean_over_its_tiles_whatever_the_chunks(tmp_path: Path) -> None:
    sites = write(tmp_path, 20)
    assert MIN_CHUNK < 20 * 16
    done: list[int] = []
    vectors = image_vectors(sites, lambda _: PREPROCESSING, EMBEDDER, done.append)
    expected = [EMBEDDER.embed(tiles_of(site, PREPROCESSING)).mean(axis=0) for site in sites]
    np.testing.assert_allclose(vectors, expected, rtol=1e-5)
    assert (vectors.dtype, done) == (np.float32, [16, 20])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"nothing")
    with pytest.raises(InvalidImage, match=r"a\.tif"):
        image_vectors(single_cells(tmp_path), lambda _: PREPROCESSING, EMBEDDER)
