"""Pictures at full resolution, from the image files of a site: only if they are the files that were embedded."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import BoundedSemaphore
from typing import TypeVar

import numpy as np
from gandl_shared.db import SiteRecord
from gandl_shared.errors import Conflict, Forbidden, Full, Invalid, NotFound, Outage, Problem, TooLarge
from gandl_shared.files.references import parse_reference
from gandl_shared.imaging import (
    IntensityLimits,
    Raw,
    decode,
    downscaled,
    read_content,
    read_header,
    reduce_planes,
    to_uint8,
    vector_key,
)
from gandl_shared.models.numerics import content_of
from gandl_shared.plates import Site, SiteId, inside

from gandl_analysis.figures.pixels.composite import composite
from gandl_analysis.figures.pixels.encoding import PictureFormat, encode
from gandl_analysis.service.pixels.byte_cache import ByteCache
from gandl_analysis.service.pixels.requests import ChannelView, Crop
from gandl_analysis.service.pixels.subjects import ScreenSubject, Subjects

MAX_SOURCE_PIXELS = 2**26
"""The most pixels of a channel of an image that is decoded while a client waits."""
MAX_PICTURE_PIXELS = 2**24
"""The most pixels of a picture that is sent."""
MAX_LEVEL = 6
_CACHED_RAW, _CACHED_PICTURES, _CACHED_KEYS = 2**27, 2**26, 4096
_DECODERS = 2
_PATIENCE = 10.0
_RENDERER = "1"
"""A part of every ETag; another number makes browsers fetch all pictures again."""

T = TypeVar("T")
Fingerprint = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class ImageRequest:
    """A picture of a site. `level` halves it so many times, `limits` [(low, high)] are None for those of the screen,
    and `crop` is None for the whole image."""

    view: ChannelView
    level: int = 0
    crop: Crop | None = None
    limits: tuple[tuple[float, float], ...] | None = None
    kind: PictureFormat = PictureFormat.PNG


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture that can be rendered. Equal `etag`s mean equal pictures, so that a client needs no second one."""

    etag: str
    media_type: str
    render: Callable[[], bytes]


class SiteImages:
    """Pictures of sites from their image files. It may be used from several threads.

    Methods raise NotFound for an unknown site and for a file that has moved, Conflict for a file that has changed since
    it was embedded, Forbidden for a file outside the image folder, TooLarge, and InvalidImage for a damaged file.
    """

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects
        self._raw: ByteCache[Raw] = ByteCache(_CACHED_RAW, lambda image: image.nbytes)
        self._pictures: ByteCache[bytes] = ByteCache(_CACHED_PICTURES, len)
        self._keys: ByteCache[str] = ByteCache(_CACHED_KEYS, lambda _: 1)
        self._decoders = BoundedSemaphore(_DECODERS)

    def picture(self, screen: ScreenSubject, site: SiteId, request: ImageRequest) -> Picture:
        """Return a picture of a site; its pixels are decoded when it is rendered."""
        record = self._subjects.site(screen.record.id, site)
        key = self.checked_key(screen, record)
        parts = [_RENDERER, key, request.view.key, request.level, request.crop, request.limits, request.kind]
        parts.append(screen.limits(site.plate).model_dump_json())
        etag = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
        return Picture(
            etag=etag,
            media_type=request.kind.media_type,
            render=lambda: self._pictures.get(etag, lambda: self._render(screen, record.site, key, request)),
        )

    def checked_key(self, screen: ScreenSubject, record: SiteRecord) -> str:
        """Return the identity of what the files of a site hold. Raises Conflict if that is not what was embedded."""
        key, site = self.content_key(screen, record), record.site
        if record.key is not None and not key.startswith(content_of(record.key)):
            raise Conflict(
                f"the images of site {site.site} of well {site.well} on plate '{site.plate}' have changed since they "
                "were embedded, so they do not show what was measured; put the earlier files back or submit the screen "
                "again"
            )
        return key

    def content_key(self, screen: ScreenSubject, record: SiteRecord) -> str:
        """Return the identity of what the files of a site hold now, which is that of its vectors if nothing changed."""
        site = record.site
        self._check_files(screen, site)
        preprocessing, model = screen.preprocessing(site.plate), screen.record.model.id

        def read() -> str:
            with self._decoding():
                _check_size(site, site.names)
                contents = [_content(site, name) for name in site.names]
            return vector_key(contents, preprocessing, model, names=site.names, planes=site.planes)

        fingerprint = _fingerprint(site)
        return read() if fingerprint is None else self._keys.get((fingerprint, preprocessing.key, model), read)

    def shape(self, screen: ScreenSubject, site: Site) -> tuple[int, int]:
        """Return height and width of the images of a site."""
        self._check_files(screen, site)
        header = _present(site.names[0], lambda: read_header(site.root / site.names[0]))
        return header.height, header.width

    def field(
        self, screen: ScreenSubject, site: Site, key: str, channels: Sequence[int], crop: Crop | None, level: int
    ) -> Raw:
        """Return the pixels [C, H, W] of these channels (from 0), cut out and averaged down 2 ** `level` times."""
        planes = [self._raw.get((key, channel), partial(self._read, screen, site, channel)) for channel in channels]
        image = np.stack(planes)
        part = image if crop is None else _cut(image, crop)
        factor = 2**level
        height, width = part.shape[1] // factor, part.shape[2] // factor
        if not height or not width:
            detail = f"level {level} leaves nothing of {part.shape[1]}×{part.shape[2]} pixels; take a lower level"
            raise Invalid(detail, problems=[Problem(detail, field="level")])
        if height * width > MAX_PICTURE_PIXELS:
            raise TooLarge(
                f"the picture would have {height}×{width} pixels, and {MAX_PICTURE_PIXELS} are allowed; take a higher "
                "level or a part of the image (crop)"
            )
        return downscaled(part, factor)

    def _render(self, screen: ScreenSubject, site: Site, key: str, request: ImageRequest) -> bytes:
        indices = request.view.indices
        image = self.field(screen, site, key, indices, request.crop, request.level)
        own = screen.limits(site.plate)
        pairs = request.limits or tuple((own.low[index], own.high[index]) for index in indices)
        limits = IntensityLimits(low=tuple(low for low, _ in pairs), high=tuple(high for _, high in pairs))
        return encode(composite(to_uint8(image, limits), request.view.colours), request.kind)

    def _check_files(self, screen: ScreenSubject, site: Site) -> None:
        self._subjects.check_root(screen.record)
        try:
            outside = [name for name in site.names if inside(site.root, name) is None]
        except (OSError, RuntimeError) as error:  # the links form a circle
            raise NotFound(f"an image of site {site.site} of well {site.well} cannot be followed: {error}") from error
        if outside:
            raise Forbidden(f"image {outside[0]} is a link out of the images folder; put the image itself there")

    def _read(self, screen: ScreenSubject, site: Site, channel: int) -> Raw:
        """Return one channel [H, W] of a site."""
        stacks = list(site.channels())
        is_whole = len(stacks) == 1 and len(screen.channels) > 1
        names = stacks[0] if is_whole else stacks[channel]
        if not names:
            raise NotFound(f"site {site.site} of well {site.well} lacks channel {channel + 1}")
        before = _fingerprint(site)
        with self._decoding():
            _check_size(site, names)
            image = reduce_planes(((name, decode(_content(site, name), name)) for name in names), screen.reduction)
        if _fingerprint(site) != before:
            raise Conflict(f"image {names[0]} changed while it was read; try again")
        return np.ascontiguousarray(image[channel] if is_whole else image[0])

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        """Wait for one of the few places in which images are decoded, so that their pixels do not fill the memory."""
        if not self._decoders.acquire(timeout=_PATIENCE):
            raise Full("many images are being decoded at the moment; try again", retry_after=2.0)
        try:
            yield
        finally:
            self._decoders.release()


def _cut(image: Raw, crop: Crop) -> Raw:
    height, width = image.shape[1:]
    if crop.x + crop.width > width or crop.y + crop.height > height:
        detail = (
            f"the part {crop.x},{crop.y},{crop.width},{crop.height} is not inside the image, which is {width} pixels "
            f"wide and {height} high"
        )
        raise Invalid(detail, problems=[Problem(detail, field="crop")])
    part: Raw = image[:, crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
    return part


def _check_size(site: Site, names: Sequence[str]) -> None:
    for name in names:
        header = _present(name, partial(read_header, site.root / name))
        if header.height * header.width > MAX_SOURCE_PIXELS:
            raise TooLarge(
                f"image {name} has {header.height}×{header.width} pixels, and at most {MAX_SOURCE_PIXELS} of a channel "
                "are decoded for a picture; use its thumbnail"
            )


def _content(site: Site, name: str) -> bytes:
    return _present(name, lambda: read_content(site.root / name))


def _present(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except NotFound as error:
        raise NotFound(f"image {name} is no longer there") from error
    except Outage as error:
        # Its message names a folder of the server, which is not the client's business.
        raise NotFound(f"image {name} is no longer there: its folder was moved, or its disk is away") from error


def _fingerprint(site: Site) -> Fingerprint | None:
    """Return what changes with the files of a site, without reading them; None where this cannot be told."""
    try:
        states = [(site.root / parse_reference(name).file).stat() for name in site.names]
    except OSError:
        return None
    # A folder is the root of an OME-Zarr, whose chunks change without it.
    if not all(stat.S_ISREG(state.st_mode) for state in states):
        return None
    return tuple(
        (str(site.root / name), state.st_size, state.st_mtime_ns, state.st_ino)
        for name, state in zip(site.names, states, strict=True)
    )
