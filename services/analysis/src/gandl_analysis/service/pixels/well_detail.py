"""All that is known of one well: its scores, its sites with their files and problems, its tiles, and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gandl_shared.db import SiteRecord
from gandl_shared.errors import GandlError, NotFound
from gandl_shared.plates import Site, SiteId
from gandl_shared.plates.well_names import parse_well
from gandl_shared.schemas.quality import FailedSite
from gandl_shared.schemas.screen import SiteScore, WellScore
from gandl_shared.schemas.vocabulary import Role

from gandl_analysis.formats.tile_scores import TileScore
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.service.filters import WellFilter
from gandl_analysis.service.pixels.pictures import Pictures
from gandl_analysis.service.pixels.subjects import ScreenSubject
from gandl_analysis.service.results import Results, StoredAnalysis


@dataclass(frozen=True, kw_only=True)
class ChannelFiles:
    """The image files of one channel of a site, or of all of them."""

    channel: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WellSite:
    """A site of a well. `record` is None where its files are not known: in a screen without images, and in one that was
    opened from a folder of results. `score` is None without vectors, and `quality` without a problem."""

    name: str
    record: SiteRecord | None
    files: tuple[ChannelFiles, ...]
    score: SiteScore | None
    quality: FailedSite | None
    has_thumbnail: bool


@dataclass(frozen=True, kw_only=True)
class WellDetail:
    """A well of an analysis. `screen` is None for a screen without images.

    `neighbours` are the wells around it on the plate, in rows and columns; `previous` and `following` are the next
    wells that hold something, in the order of the plate map.
    """

    well: WellScore
    screen: ScreenSubject | None
    sites: tuple[WellSite, ...]
    tiles: tuple[TileScore, ...]
    neighbours: tuple[WellScore, ...]
    previous: WellScore | None
    following: WellScore | None


def well_detail(results: Results, pictures: Pictures, stored: StoredAnalysis, plate: str, well: str) -> WellDetail:
    """Return a well of an analysis. Raises NotFound if the plate map has no such well."""
    analysis = stored.analysis
    scores = [score for score in analysis.wells if score.plate == plate]
    own = next((score for score in scores if score.well == well), None)
    if own is None:
        raise NotFound(f"screen '{stored.screen}' has no well '{well}' on plate '{plate}'")
    position = scores.index(own)
    before = [score for score in scores[:position] if score.role is not Role.EMPTY]
    after = [score for score in scores[position + 1 :] if score.role is not Role.EMPTY]
    screen = _screen(pictures, stored.screen)
    sites = results.sites(stored.screen, stored.version, WellFilter(plate=plate))
    return WellDetail(
        well=own,
        screen=screen,
        sites=_sites(pictures, screen, analysis, [site for site in sites if site.well == well], own),
        tiles=results.tiles(stored.screen, stored.version, plate, well),
        neighbours=_neighbours(scores, own),
        previous=before[-1] if before else None,
        following=after[0] if after else None,
    )


def unavailable(pictures: Pictures, screen: ScreenSubject, record: SiteRecord) -> str | None:
    """Return why the images of a site cannot be shown at full resolution; None where they can."""
    try:
        pictures.images.checked_key(screen, record)
    except NotFound as error:
        return f"{error.detail}; {pictures.remedy(screen)}"
    except GandlError as error:
        return error.detail
    return None


def _screen(pictures: Pictures, screen: str) -> ScreenSubject | None:
    try:
        return pictures.screen(screen)
    except NotFound:
        return None


def _sites(
    pictures: Pictures,
    screen: ScreenSubject | None,
    analysis: ScreenAnalysis,
    scores: Sequence[SiteScore],
    well: WellScore,
) -> tuple[WellSite, ...]:
    if screen is None:
        return tuple(
            WellSite(name=each.site, record=None, files=(), score=each, quality=None, has_thumbnail=False)
            for each in scores
        )
    images = analysis.quality.images.get(well.plate)
    failed = {site.site: site for site in (images.failed if images else ()) if site.well == well.well}
    by_name = {score.site: score for score in scores}
    records = pictures.site_records(screen.record.id, well.plate, well.well)
    # The database knows no sites of a folder that was opened, but its scores name them.
    names = {record.site.id for record in records} or {SiteId(well.plate, well.well, each.site) for each in scores}
    small = {each.site for each in pictures.thumbnails.of_sites(screen.record.id, names)}
    if not records:
        return tuple(
            WellSite(
                name=each.site,
                record=None,
                files=(),
                score=each,
                quality=failed.get(each.site),
                has_thumbnail=SiteId(well.plate, well.well, each.site) in small,
            )
            for each in scores
        )
    return tuple(
        WellSite(
            name=record.site.site,
            record=record,
            files=_files(record.site, screen),
            score=by_name.get(record.site.site),
            quality=failed.get(record.site.site),
            has_thumbnail=record.site.id in small,
        )
        for record in records
    )


def _files(site: Site, screen: ScreenSubject) -> tuple[ChannelFiles, ...]:
    stacks = list(site.channels())
    if len(stacks) != len(screen.channels):
        return (ChannelFiles(channel="all channels", names=tuple(site.names)),)
    pairs = zip(screen.channels, stacks, strict=True)
    return tuple(ChannelFiles(channel=channel.name, names=names) for channel, names in pairs)


def _neighbours(wells: Sequence[WellScore], own: WellScore) -> tuple[WellScore, ...]:
    """Return the wells at most one row and one column away, the well itself among them, row by row."""
    row, column = parse_well(own.well)
    near: dict[tuple[int, int], WellScore] = {}
    for well in wells:
        position = parse_well(well.well)
        if abs(position[0] - row) <= 1 and abs(position[1] - column) <= 1:
            near[position] = well
    return tuple(near[position] for position in sorted(near))
