"""Thumbnails in colours, one by one and as a sprite: all wells of a plate in one picture."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from gandl_shared.db import SiteRecord
from gandl_shared.errors import NotFound, TooLarge
from gandl_shared.imaging import Uint8, shrunk
from gandl_shared.plates import SiteId
from gandl_shared.plates.well_names import parse_well
from gandl_shared.schemas.answers import SpriteCell, SpriteIndex
from gandl_shared.store import Store, Thumbnail

from gandl_analysis.figures.pixels.composite import composite, sprite
from gandl_analysis.figures.pixels.encoding import PictureFormat, encode
from gandl_analysis.figures.plate import FORMATS
from gandl_analysis.service.pixels.byte_cache import ByteCache
from gandl_analysis.service.pixels.images import Picture
from gandl_analysis.service.pixels.requests import ChannelView
from gandl_analysis.service.pixels.subjects import ScreenSubject, Subjects, no_images

MAX_SPRITE_PIXELS = 2**25
"""The most pixels of a sprite; 1,536 wells of 128 × 128 pixels are within the limit."""
MAX_SPRITE_EDGE = 2**14
_CACHED_PICTURES = 2**26
_RENDERER = "1"
_DECODERS = 2


class Part(StrEnum):
    """What a thumbnail shows: the whole field, or its typical tile."""

    FIELD = "field"
    TILE = "tile"


@dataclass(frozen=True, kw_only=True)
class SpriteRequest:
    """A sprite of a plate with cells of `edge` pixels. `site` is None for the first site of each well that has a
    thumbnail."""

    view: ChannelView
    edge: int
    site: str | None = None
    part: Part = Part.FIELD
    kind: PictureFormat = PictureFormat.JPEG


class Thumbnails:
    """The thumbnails of screens. They need no image file, so they stay when the images have moved."""

    def __init__(self, subjects: Subjects, store: Store) -> None:
        self._subjects, self._store = subjects, store
        self._pictures: ByteCache[bytes] = ByteCache(_CACHED_PICTURES, len)

    def one(self, screen: ScreenSubject, site: SiteId) -> Thumbnail | None:
        """Return the thumbnail of a site, or None if it has none. Raises NotFound for an unknown site."""
        records = self._subjects.stored_sites(screen.record.id, site.plate, site.well)
        if not records:
            return next((each for each in self._unlisted(screen.record.id, site.plate) if each.site == site), None)
        record = self._subjects.site(screen.record.id, site)
        stored = self._store.thumbnails(screen.record.id, record.batch)
        return next((each for each in stored if each.site == site), None)

    def of_plate(self, screen: ScreenSubject, plate: str, well: str | None = None) -> tuple[Thumbnail, ...]:
        """Return the thumbnails of a plate, or of one of its wells. Raises NotFound if it has no sites."""
        sites = self._subjects.stored_sites(screen.record.id, plate, well)
        if sites:
            return tuple(self._of_batches(screen.record.id, sites))
        unlisted = tuple(each for each in self._unlisted(screen.record.id, plate) if well in (None, each.site.well))
        if not unlisted:
            raise no_images(screen.record.id, plate, well)
        return unlisted

    def of_sites(self, screen_id: str, sites: Collection[SiteId]) -> Iterator[Thumbnail]:
        """Yield the thumbnails of these sites; a site without one is left out."""
        for plate in dict.fromkeys(site.plate for site in sites):
            stored = self._subjects.stored_sites(screen_id, plate)
            if stored:
                yield from self._of_batches(screen_id, [record for record in stored if record.site.id in sites])
            else:
                yield from (each for each in self._unlisted(screen_id, plate) if each.site in sites)

    def picture(
        self, screen: ScreenSubject, site: SiteId, view: ChannelView, part: Part, kind: PictureFormat
    ) -> Picture:
        """Return the thumbnail of a site as a picture. Raises NotFound."""
        thumbnail = self.one(screen, site)
        if thumbnail is None:
            raise NotFound(
                f"site {site.site} of well {site.well} on plate '{site.plate}' has no thumbnail: it was not embedded, "
                "or by an older version"
            )
        etag = _etag("one", thumbnail.key, view.key, part, kind)
        return Picture(
            etag=etag,
            media_type=kind.media_type,
            render=lambda: self._pictures.get(etag, lambda: encode(coloured(thumbnail, view, part), kind)),
        )

    def sprite(self, screen: ScreenSubject, plate: str, request: SpriteRequest) -> Picture:
        """Return all wells of a plate as one picture, laid out as `index` says. Raises NotFound, TooLarge."""
        wells = self._wells(screen, plate, request.site)
        grid = _grid(wells)
        _check_size(grid, request.edge)

        def render() -> bytes:
            positions = [parse_well(each.site.well) for each in wells]
            # Pillow decodes outside the lock of the interpreter, and most of the time goes into decoding.
            with ThreadPoolExecutor(_DECODERS) as pool:
                fields = list(pool.map(lambda each: _cell(each, request), wells))
            cells = {(row - 1, column - 1): field for (row, column), field in zip(positions, fields, strict=True)}
            rows, columns = grid
            picture = sprite(cells, request.view.colours, rows=rows, columns=columns, edge=request.edge)
            return encode(picture, request.kind)

        keys = ",".join(f"{each.site.well}:{each.site.site}:{each.key}" for each in wells)
        etag = _etag("sprite", keys, request.view.key, request.edge, request.part, request.kind)
        return Picture(etag=etag, media_type=request.kind.media_type, render=lambda: self._pictures.get(etag, render))

    def index(self, screen: ScreenSubject, plate: str, request: SpriteRequest) -> SpriteIndex:
        """Return where each well is in the sprite. Raises NotFound for an unknown plate."""
        wells, edge = self._wells(screen, plate, request.site), request.edge
        rows, columns = _grid(wells)
        cells = [
            SpriteCell(well=each.site.well, site=each.site.site, x=(column - 1) * edge, y=(row - 1) * edge)
            for each in wells
            for row, column in [parse_well(each.site.well)]
        ]
        return SpriteIndex(plate=plate, rows=rows, columns=columns, edge=edge, wells=tuple(cells))

    def _wells(self, screen: ScreenSubject, plate: str, site: str | None) -> tuple[Thumbnail, ...]:
        """Return one thumbnail for each well of a plate."""
        wells: dict[str, Thumbnail] = {}
        for each in self.of_plate(screen, plate):
            if site in (None, each.site.site):
                wells.setdefault(each.site.well, each)
        return tuple(wells.values())

    def _unlisted(self, screen_id: str, plate: str) -> Iterator[Thumbnail]:
        """Yield the thumbnails of a plate whose sites the database does not know, as in a folder that was opened."""
        return (each for each in self._store.all_thumbnails(screen_id) if each.site.plate == plate)

    def _of_batches(self, screen_id: str, sites: Iterable[SiteRecord]) -> Iterator[Thumbnail]:
        """Yield the thumbnails of sites, which lie together in few batches, in plate map order."""
        names = {record.site.id: record.batch for record in sites}
        for batch in dict.fromkeys(names.values()):
            yield from (each for each in self._store.thumbnails(screen_id, batch) if each.site in names)


def coloured(thumbnail: Thumbnail, view: ChannelView, part: Part) -> Uint8:
    """Return a thumbnail as a picture [H, W] or [H, W, 3]. Raises Malformed for a damaged one."""
    pixels = (thumbnail.field if part is Part.FIELD else thumbnail.tile).pixels()
    return composite(pixels[view.indices], view.colours)


def _cell(thumbnail: Thumbnail, request: SpriteRequest) -> Uint8:
    """Return the channels [C, H, W] of a thumbnail that a sprite shows, at most as large as its cells."""
    stored = thumbnail.field if request.part is Part.FIELD else thumbnail.tile
    return shrunk(stored.pixels(request.edge)[request.view.indices], request.edge)


def _grid(wells: Sequence[Thumbnail]) -> tuple[int, int]:
    """Return rows and columns of the smallest standard plate that has all these wells."""
    positions = [parse_well(each.site.well) for each in wells] or [(1, 1)]
    rows, columns = max(row for row, _ in positions), max(column for _, column in positions)
    fitting = [shape for shape in FORMATS if shape[0] >= rows and shape[1] >= columns]
    return fitting[0] if fitting else (rows, columns)


def _check_size(grid: tuple[int, int], edge: int) -> None:
    # Nothing stops a plate map from naming a well far away, and then the grid would fill the memory.
    height, width = grid[0] * edge, grid[1] * edge
    if height * width > MAX_SPRITE_PIXELS or max(height, width) > MAX_SPRITE_EDGE:
        raise TooLarge(
            f"the sprite would have {height}×{width} pixels, and {MAX_SPRITE_PIXELS} with edges of at most "
            f"{MAX_SPRITE_EDGE} are allowed; take a smaller edge"
        )


def _etag(*parts: object) -> str:
    return hashlib.sha256(repr((_RENDERER, *parts)).encode()).hexdigest()[:32]
