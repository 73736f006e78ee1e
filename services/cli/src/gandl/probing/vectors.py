"""One vector for each image: the mean over its tiles, by any featurizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from gandl_science.arrays import group_means
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging import Preprocessing
from gandl_shared.models import Embedder
from gandl_shared.plates import Site
from gandl_worker.sites import SiteTiles, Unreadable, load
from numpy.typing import NDArray

MIN_CHUNK = 256
"""At least so many tiles are embedded at a time, because an image of a single cell alone would be a batch of one."""


def image_vectors(
    sites: Sequence[Site],
    preparation: Callable[[Site], Preprocessing],
    embedder: Embedder,
    on_images: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float32]:
    """Return vectors [N, F] of N images, each the mean over its tiles.

    `on_images` gets the number of images so far. Raises InvalidImage naming a file that cannot be read.
    """
    vectors, image = [], []
    for numbers, tiles in _chunks(sites, preparation):
        vectors.append(embedder.embed(tiles))
        image.append(numbers)
        on_images(int(numbers[-1]) + 1)
    return group_means(np.concatenate(vectors), np.concatenate(image), len(sites)).astype(np.float32)


def tiles_of(site: Site, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Return the tiles [T, C, S, S] of an image. Raises InvalidImage naming its file."""
    loaded = load(site, preprocessing, "", None)
    if isinstance(loaded, Unreadable):
        raise InvalidImage(f"{site.names[0]}: {loaded.error}")
    assert isinstance(loaded, SiteTiles), "no vector is stored yet, so none can be unchanged"
    return loaded.tiles


def _chunks(
    sites: Sequence[Site], preparation: Callable[[Site], Preprocessing]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.uint8]]]:
    """Yield the tiles of several images, each tile with the number of its image."""
    numbers: list[NDArray[np.intp]] = []
    parts: list[NDArray[np.uint8]] = []
    for number, site in enumerate(sites):
        parts.append(tiles_of(site, preparation(site)))
        numbers.append(np.full(len(parts[-1]), number, np.intp))
        if sum(map(len, parts)) >= MIN_CHUNK or number == len(sites) - 1:
            yield np.concatenate(numbers), np.concatenate(parts)
            numbers, parts = [], []
