"""One site: from the bytes of its files to tiles and the key of its vectors."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from gandl_shared.db import LeasedSite
from gandl_shared.errors import BadInput, NotFound, Outage
from gandl_shared.files.objects import stamp_of
from gandl_shared.files.references import parse_reference
from gandl_shared.files.stamps import change
from gandl_shared.imaging import (
    MAX_PIXELS,
    Preprocessing,
    SiteMetrics,
    Uint8,
    centred_origin,
    cut_tiles,
    decode,
    prepare_field,
    read_content,
    reduce_planes,
    shrunk,
    site_metrics,
    stack,
    tile_contrast,
    tile_origins,
    vector_key,
)
from gandl_shared.plates import Site, inside
from gandl_shared.store import THUMBNAIL_EDGE
from numpy.typing import NDArray

log = logging.getLogger(__name__)

_MAX_NAMES = 6


@dataclass(frozen=True, kw_only=True)
class SiteTiles:
    """The tiles [N, C, size, size] of a site, with the key of their vectors.

    `origins` are the corners (y, x) of the tiles in pixels of the image file, which has the `shape` (height, width).
    `metrics` belong to the whole field, which `picture` [C, H, W] shows in small, and `contrast` [N] to the tiles.
    """

    key: str
    tiles: NDArray[np.uint8]
    origins: tuple[tuple[int, int], ...]
    metrics: SiteMetrics
    contrast: NDArray[np.float32]
    picture: Uint8
    shape: tuple[int, int]


@dataclass(frozen=True)
class Unchanged:
    """A site whose vectors are stored already."""

    key: str


@dataclass(frozen=True)
class Unreadable:
    """A site that cannot be decoded, and the reason."""

    error: str


@dataclass(frozen=True)
class Away:
    """A site whose storage cannot be reached for the moment, and the reason."""

    reason: str


SiteResult = SiteTiles | Unchanged | Unreadable | Away


def load_inside(site: Site, preprocessing: Preprocessing | None, model_id: str, stored: str | None) -> SiteResult:
    """Load a site if its files are below its root: links may have changed since the screen was checked.

    A plate of which no site is complete has no preprocessing.
    """
    if preprocessing is None or not site.is_complete:
        inputs = " and ".join(str(n) for n, count in enumerate(site.planes, start=1) if not count)
        return Unreadable(
            f"site {site.site} of well {site.well} lacks the channel of the model's input {inputs}; add its file"
        )
    try:
        outside = [name for name in site.names if inside(site.root, name) is None]
    except (OSError, RuntimeError) as error:  # the links form a circle
        return Unreadable(f"an image of site {site.site} of well {site.well} cannot be followed: {error}")
    if outside:
        return Unreadable(f"image {outside[0]} is a link out of the images folder; put the image itself there")
    return load(site, preprocessing, model_id, stored)


def load(site: Site, preprocessing: Preprocessing, model_id: str, stored: str | None) -> SiteResult:
    """Read a site and cut its tiles. If the key of its vectors equals `stored`, only the bytes are read.

    Raises MemoryError, which may come from other sites that are decoded at the same time.
    """
    try:
        # The key and the tiles come from the same bytes, so a file that changes meanwhile cannot get a wrong key.
        contents = [_content(site, name) for name in site.names]
        key = vector_key(contents, preprocessing, model_id, names=site.names, planes=site.planes)
        return Unchanged(key) if key == stored else _cut(site, contents, key, preprocessing)
    except BadInput as error:
        return Unreadable(error.detail)
    except Outage as error:
        return Away(error.detail)
    except MemoryError:
        raise
    except Exception as error:  # a decoder stumbled over these bytes, and the other sites of the batch must go on
        log.exception("site %s of well %s, plate %s", site.site, site.well, site.plate)
        return Unreadable(f"{names_of(site)} cannot be decoded: {type(error).__name__}: {error}")


def changed_files(leased: LeasedSite) -> str | None:
    """Return which files of a site are not as they were when the screen was submitted, or None."""
    site = leased.site
    # Sites of an older version have no stamps, and then nothing can be said.
    pairs = zip(site.names, leased.stamps or (None,) * len(site.names), strict=True)
    files = {parse_reference(name).file: earlier for name, earlier in pairs if earlier is not None}
    changes = ((file, change(earlier, stamp_of(site.root / file))) for file, earlier in files.items())
    return "; ".join(f"{file} {how}" for file, how in changes if how is not None) or None


def names_of(site: Site) -> str:
    """Return the files of a site for a message, the first ones where there are many."""
    first = ", ".join(site.names[:_MAX_NAMES])
    more = len(site.names) - _MAX_NAMES
    return f"{first} and {more} more files" if more > 0 else first


def _content(site: Site, name: str) -> bytes:
    try:
        return read_content(site.root / name)
    except NotFound as error:
        raise NotFound(f"image {name} is no longer there") from error


def _cut(site: Site, contents: Sequence[bytes], key: str, preprocessing: Preprocessing) -> SiteTiles:
    # Each channel may have its share of the pixels of a site, or five small files could unpack to more than the memory.
    share = MAX_PIXELS // max(len(tuple(site.channels())), 1)
    decoded = ((name, decode(content, name, share)) for content, name in zip(contents, site.names, strict=True))
    # Planes are decoded one by one, so that a deep stack does not fill the memory.
    images = [reduce_planes(islice(decoded, len(names)), preprocessing.reduction) for names in site.channels()]
    image = stack(images, [names[0] for names in site.channels()])
    field, factor = prepare_field(image, preprocessing), preprocessing.downscale
    tiles = cut_tiles(field, preprocessing)
    # Positions are stored in pixels of the image file, in which people look at a tile.
    height, width = field.shape[1:]
    if preprocessing.single_cell:
        corners = [centred_origin(height, width, preprocessing.size)]
    else:
        corners = tile_origins(height, width, preprocessing.size)
    origins = tuple((y * factor, x * factor) for y, x in corners)
    return SiteTiles(
        key=key,
        tiles=tiles,
        origins=origins,
        metrics=site_metrics(field, image),
        contrast=tile_contrast(tiles),
        picture=shrunk(field, THUMBNAIL_EDGE),
        shape=(image.shape[1], image.shape[2]),
    )
