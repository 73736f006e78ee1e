"""The page of a well: its sites and channels, the scores of its tiles, its problems, its files and its neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from gandl_shared.errors import Invalid, Problem
from gandl_shared.plates import SiteId
from gandl_shared.plates.well_names import parse_well
from gandl_shared.schemas.screen import WellScore
from gandl_shared.web.query import QueryModel
from pydantic import Field

from gandl_analysis.api.parameters import MAX_INTEGER, Text
from gandl_analysis.api.provider import Provider
from gandl_analysis.figures.pixels.colours import PictureChannel, hex_colour
from gandl_analysis.figures.style import efficacy_colour
from gandl_analysis.formats.tile_scores import TileScore
from gandl_analysis.pages.evidence.addresses import PictureAddresses
from gandl_analysis.pages.frame.answers import page_router, render_page
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.screen_frame import Frame, Tab, framed_analysis
from gandl_analysis.service.pixels.images import MAX_LEVEL
from gandl_analysis.service.pixels.well_detail import WellDetail, WellSite, unavailable, well_detail
from gandl_analysis.service.results import StoredAnalysis

UNKNOWN_FILES = (
    "This screen was opened from a folder of results, which does not say where the images of this site are below the "
    "image folder of this service. The notes of the screen say how to set that right."
)
SHOWN_EDGE = 1280
"""The longest edge of the picture on the page in pixels; the link to the full resolution shows all of them."""


class WellQuery(QueryModel):
    """What the page of a well shows; the fields are those of its form."""

    version: int | None = Field(default=None, ge=1, le=MAX_INTEGER)
    site: Text | None = None
    channel: list[Text] | None = Field(default=None, max_length=64)
    low: list[float] | None = Field(default=None, max_length=64)
    high: list[float] | None = Field(default=None, max_length=64)
    tiles: bool = False


@dataclass(frozen=True, kw_only=True)
class ChannelControl:
    """A channel in the form: whether it is shown, its colour in CSS, and its limits."""

    channel: PictureChannel
    is_active: bool
    colour: str
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class TileMark:
    """A tile over the picture, with the colour of its efficacy."""

    score: TileScore
    colour: str | None


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """The picture of a site: its address on the page and in full, the size of its image file, and the tiles over it.

    `reason` says why there is only a thumbnail, or nothing at all (then `address` is None)."""

    site: WellSite
    address: str | None
    full_address: str | None
    reason: str | None
    height: int
    width: int
    edge: int
    marks: tuple[TileMark, ...]


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A well of the plate around the one of the page, at its row and column in the small grid."""

    well: WellScore
    row: int
    column: int
    picture: str | None
    address: str
    colour: str | None


def router(reader: ScreenReader, services: Provider) -> APIRouter:
    """Return the route of the page of a well."""
    routes = page_router()

    @routes.get("/screens/{screen_id}/wells/{plate:path}/{well}")
    def show_well(
        request: Request, screen_id: str, plate: str, well: str, query: Annotated[WellQuery, Query()]
    ) -> HTMLResponse:
        """One well with its pictures."""
        framed = framed_analysis(request, reader, screen_id, query.version, Tab.PLATES)
        frame = framed.frame
        stored = StoredAnalysis(screen_id, frame.version, framed.analysis)
        detail = well_detail(services().results, services().pictures, stored, plate, well)
        controls = _controls(detail, query)
        return render_page(
            "well.html",
            base=frame.base,
            frame=frame,
            detail=detail,
            plate_address=frame.page_address(f"plates/{quote(plate, safe='')}"),
            query=query,
            controls=controls,
            viewer=_viewer(services, frame, detail, query, controls),
            neighbours=_neighbours(services, frame, detail),
        )

    return routes


def _controls(detail: WellDetail, query: WellQuery) -> tuple[ChannelControl, ...]:
    """Return the channels of the form. Raises Invalid for a channel that does not exist and for limits out of order."""
    screen = detail.screen
    if screen is None or detail.well.plate not in screen.record.limits:
        return ()
    limits, count = screen.limits(detail.well.plate), len(screen.channels)
    lows, highs = query.low or list(limits.low), query.high or list(limits.high)
    if len(lows) != count or len(highs) != count:
        _refuse(f"give low and high of all {count} channels of the screen, in their order", "low")
    numbers = set(query.channel or (str(channel.number) for channel in screen.channels))
    unknown = numbers - {str(channel.number) for channel in screen.channels}
    if unknown:
        _refuse(f"there is no channel '{min(unknown)[:40]}'; the channels are numbered 1 to {count}", "channel")
    for low, high in zip(lows, highs, strict=True):
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            _refuse(f"the limits {low:g} and {high:g} are not in order; the first must be below the second", "low")
    return tuple(
        ChannelControl(
            channel=channel,
            is_active=str(channel.number) in numbers,
            colour=hex_colour(channel.colour),
            low=low,
            high=high,
        )
        for channel, low, high in zip(screen.channels, lows, highs, strict=True)
    )


def _refuse(detail: str, field: str) -> None:
    raise Invalid(detail, problems=[Problem(detail, field=field)])


def _viewer(
    services: Provider, frame: Frame, detail: WellDetail, query: WellQuery, controls: Sequence[ChannelControl]
) -> Viewer | None:
    """Return the picture of the requested site, or of the first one that can be shown; None without any site."""
    if detail.screen is None or not detail.sites:
        return None
    site = next((each for each in detail.sites if each.name == query.site), None)
    if query.site is not None and site is None:
        names = ", ".join(each.name for each in detail.sites)
        _refuse(f"well {detail.well.well} has no site '{query.site[:40]}'; it has {names}", "site")
    site = site or next((each for each in detail.sites if each.has_thumbnail), detail.sites[0])
    identity = SiteId(detail.well.plate, detail.well.well, site.name)
    pictures, screen = services().pictures, detail.screen
    reason = UNKNOWN_FILES if site.record is None else unavailable(pictures, screen, site.record)
    shape = (0, 0)
    if reason is None and site.record is not None:
        shape = pictures.images.shape(screen, site.record.site)
    thumbnail = pictures.thumbnails.one(screen, identity) if reason else None
    if thumbnail is not None:
        shape = thumbnail.height, thumbnail.width
    addresses = PictureAddresses(frame.base, frame.status.id)
    full = addresses.image(identity, _parameters(controls, 0))
    part = addresses.image(identity, _parameters(controls, _level(shape)))
    small = addresses.thumbnail(identity) if thumbnail is not None else None
    marks = [
        TileMark(score=score, colour=None if score.efficacy is None else efficacy_colour(score.efficacy))
        for score in detail.tiles
        if score.site == site.name
    ]
    return Viewer(
        site=site,
        address=small if reason else part,
        full_address=None if reason else full,
        reason=reason,
        height=shape[0],
        width=shape[1],
        edge=screen.record.model.size * screen.record.model.downscale,
        marks=tuple(marks) if query.tiles else (),
    )


def _parameters(controls: Sequence[ChannelControl], level: int) -> list[tuple[str, str]]:
    active = [control for control in controls if control.is_active]
    parameters = [("channel", str(control.channel.number)) for control in active]
    # A channel alone is grey, which shows faint structures best.
    if len(active) > 1:
        parameters += [("colour", control.colour.removeprefix("#")) for control in active]
    parameters.append(("limits", ";".join(f"{control.low:.9g},{control.high:.9g}" for control in active)))
    return [*parameters, ("level", str(level))]


def _level(shape: tuple[int, int]) -> int:
    longest = max(shape)
    return min(max(math.ceil(math.log2(longest / SHOWN_EDGE)), 0), MAX_LEVEL) if longest else 0


def _neighbours(services: Provider, frame: Frame, detail: WellDetail) -> tuple[Neighbour, ...]:
    row, column = parse_well(detail.well.well)
    addresses = PictureAddresses(frame.base, frame.status.id)
    first = _first_sites(services, detail)
    cells = []
    for well in detail.neighbours:
        position = parse_well(well.well)
        site = first.get(well.well)
        cells.append(
            Neighbour(
                well=well,
                row=position[0] - row + 2,
                column=position[1] - column + 2,
                picture=None if site is None else addresses.thumbnail(site),
                address=frame.well_address(well.plate, well.well),
                colour=None if well.efficacy is None else efficacy_colour(well.efficacy),
            )
        )
    return tuple(cells)


def _first_sites(services: Provider, detail: WellDetail) -> dict[str, SiteId]:
    """Return the first site of each neighbour that has vectors, and so a thumbnail where any are stored."""
    if detail.screen is None:
        return {}
    pictures, screen = services().pictures, detail.screen.record.id
    if not pictures.has_thumbnails(screen):
        return {}
    first: dict[str, SiteId] = {}
    for well in detail.neighbours:
        for record in pictures.site_records(screen, well.plate, well.well):
            if record.key is not None:
                first.setdefault(well.well, record.site.id)
    if not first:
        # Sites that the database does not know have only their thumbnails.
        wells = {well.well for well in detail.neighbours}
        for site in pictures.unlisted_sites(detail.screen, detail.well.plate):
            if site.well in wells:
                first.setdefault(site.well, site)
    return first
