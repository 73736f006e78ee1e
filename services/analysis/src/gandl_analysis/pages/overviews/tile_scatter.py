"""The points of the scatter of single tiles, and where the pictures of the tiles are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_shared.errors import NotFound
from gandl_shared.plates import SiteId
from gandl_shared.schemas.screen import WellScore

from gandl_analysis.api.provider import Services
from gandl_analysis.figures.marks import well_title
from gandl_analysis.formats.tile_positions import TileSample
from gandl_analysis.pages.evidence.wells import UNKNOWN_FILES
from gandl_analysis.pages.overviews.scatter_view import AXIS, COMPONENT, colour_groups, rounded
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.quantities import Quantity
from gandl_analysis.service.pixels.well_detail import unavailable

_LABELS = {"efficacy": "efficacy (E2)", "off": "beside the efficacy axis (E2)"}
_MIN_SHOWN_EDGE = 96
"""Pixels of a tile in the gallery; a tile is halved as long as it stays at least as large."""


@dataclass(frozen=True, kw_only=True)
class TileScatter:
    """The tiles that have both positions, as the script of the page reads them.

    `wells` are [plate, well, group, compound, dose, title], and `tiles` are [index of the well, index of the site,
    number, y, x, across, up]. `n_without` of the sample have no such positions, and `total` are in the whole screen.
    """

    wells: Sequence[Sequence[object]]
    sites: Sequence[str]
    tiles: Sequence[Sequence[object]]
    groups: tuple[str, ...]
    n_without: int
    n_sample: int
    total: int


@dataclass(frozen=True, kw_only=True)
class TilePictures:
    """How the pictures of tiles are asked for: the edge of a tile in pixels of the image file, and how often it is
    halved. With a `reason` the image files cannot be read, and parts of the thumbnails of sites of `height` and `width`
    pixels take their place."""

    edge: int
    level: int
    reason: str | None
    height: int
    width: int


def tile_axes(sample: TileSample) -> Mapping[str, str]:
    """Return the names and labels of the positions that any tile of a sample has."""
    names = [name for name, values in sample.positions.items() if np.isfinite(values).any()]
    return {name: _label(name) for name in names}


def tile_scatter(analysis: ScreenAnalysis, sample: TileSample, x: str, y: str, colour: Quantity) -> TileScatter:
    """Return the tiles of a sample at two of its positions, with the colours of their wells."""
    by_key = {(well.plate, well.well): well for well in analysis.wells}
    groups, group_of = colour_groups(colour)
    across, up = sample.positions[x], sample.positions[y]
    wells: dict[tuple[str, str], int] = {}
    sites: dict[str, int] = {}
    tiles = []
    for row in np.flatnonzero(np.isfinite(across) & np.isfinite(up)).tolist():
        key = (sample.plates[row], sample.wells[row])
        # A plate map names every well of the vectors, so that a well is missing only in a result that was cut.
        if key in by_key:
            number = wells.setdefault(key, len(wells))
            site = sites.setdefault(sample.sites[row], len(sites))
            corner = sample.y[row], sample.x[row]
            tiles.append((number, site, sample.tiles[row], *corner, rounded(across[row]), rounded(up[row])))
    return TileScatter(
        wells=[_record(by_key[key], group_of(key)) for key in wells],
        sites=list(sites),
        tiles=tiles,
        groups=groups,
        n_without=len(sample.plates) - len(tiles),
        n_sample=len(sample.plates),
        total=sample.total,
    )


def tile_pictures(services: Services, screen_id: str, sample: TileSample) -> TilePictures | None:
    """Return how the tiles of a screen are shown; None for a screen without images."""
    pictures = services.pictures
    try:
        screen = pictures.screen(screen_id)
    except NotFound:
        return None
    edge = screen.record.model.size * screen.record.model.downscale
    level = max((edge // _MIN_SHOWN_EDGE).bit_length() - 1, 0)
    site = SiteId(sample.plates[0], sample.wells[0], sample.sites[0])
    records = pictures.site_records(screen_id, site.plate, site.well)
    record = next((record for record in records if record.site.id == site), None)
    reason = UNKNOWN_FILES if record is None else unavailable(pictures, screen, record)
    thumbnail = pictures.thumbnails.one(screen, site) if reason else None
    height, width = (thumbnail.height, thumbnail.width) if thumbnail else (0, 0)
    return TilePictures(edge=edge, level=level, reason=reason, height=height, width=width)


def _label(name: str) -> str:
    if name.startswith(AXIS):
        return f"axis {name.removeprefix(AXIS)}"
    if name.startswith(COMPONENT):
        return f"principal component {name.removeprefix(COMPONENT)}"
    return _LABELS[name]


def _record(well: WellScore, group: int) -> list[object]:
    return [well.plate, well.well, group, well.compound or "", well.concentration_um, well_title(well)]
