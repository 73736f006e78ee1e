"""Routes of pictures: sites at full resolution, their thumbnails, and all wells of a plate in one picture."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from gandl_shared.plates import SiteId
from gandl_shared.schemas.answers import SpriteIndex
from gandl_shared.web.errors import error_responses
from gandl_shared.web.negotiation import JSON, preferred
from gandl_shared.web.query import QueryModel
from pydantic import Field

from gandl_analysis.api.parameters import Accept, ScreenId, Text
from gandl_analysis.api.provider import Provider
from gandl_analysis.figures.pixels.encoding import PictureFormat
from gandl_analysis.service.pixels.images import MAX_LEVEL, ImageRequest, Picture
from gandl_analysis.service.pixels.requests import SCREEN, read_crop, read_limits, view_of
from gandl_analysis.service.pixels.thumbnails import Part, SpriteRequest

_SITE = "/{plate:path}/{well}/{site}"
_PNG_FIRST = tuple(kind.media_type for kind in PictureFormat)
_JPEG_FIRST = (PictureFormat.JPEG.media_type, PictureFormat.PNG.media_type)
_CONTENT: dict[str, Any] = {name: {"schema": {"type": "string", "format": "binary"}} for name in _PNG_FIRST}
_PICTURE: dict[int | str, dict[str, Any]] = {
    **error_responses(401, 403, 404, 409, 413, 415, 422, 429, 500, 503),
    200: {"content": _CONTENT},
    304: {"description": "The client has this picture already"},
}

PlateName = Annotated[str, Path(description="name of the plate, percent-encoded", max_length=500)]
WellName = Annotated[str, Path(description="well, such as B07", max_length=20)]
SiteName = Annotated[str, Path(description="site of the well, such as 1", max_length=500)]
Condition = Annotated[str | None, Header(alias="If-None-Match", include_in_schema=False)]


class ChannelQuery(QueryModel):
    """Which channels a picture shows, in which colours, and as what kind of file."""

    channel: list[Text] | None = Field(
        default=None,
        max_length=64,
        description="number from 1, name or stain of a channel; several are laid over each other; `composite` or "
        "absent: all of them",
    )
    colour: list[Text] | None = Field(
        default=None,
        max_length=64,
        description="colour of each channel, by name (blue, green, red, yellow, cyan, magenta, orange, grey) or as "
        "`ff8c00`; absent: by stain, and grey for one channel alone",
    )
    format: PictureFormat | None = Field(default=None, description="absent: as the header Accept prefers, PNG first")


class ImageQuery(ChannelQuery):
    """Which picture of a site is read."""

    level: int = Field(default=0, ge=0, le=MAX_LEVEL, description="how often the image is halved")
    crop: Text | None = Field(default=None, description="`x,y,width,height` in pixels of the image file; absent: all")
    limits: Text = Field(
        default=SCREEN,
        description="raw intensities that become black and white: `screen`, those under which the plate was embedded, "
        "or `low,high` for each channel, separated by `;`",
    )


class ThumbnailQuery(ChannelQuery):
    """Which thumbnail of a site is read."""

    part: Part = Field(default=Part.FIELD, description="the whole field, or the tile nearest to the median of its site")


class SpriteQuery(ThumbnailQuery):
    """Which thumbnails of a plate are read."""

    edge: int = Field(default=64, ge=8, le=128, description="width and height of a well in pixels")
    site: Text | None = Field(default=None, description="site of each well; absent: the first one with a thumbnail")


def router(services: Provider) -> APIRouter:
    """Return the routes of pictures. All are cached by their content: a client sends `If-None-Match`."""
    routes = APIRouter(prefix="/screens/{id}", tags=["pictures"])

    @routes.get(f"/images{_SITE}", responses=_PICTURE, response_class=Response, summary="A site at full resolution")
    def image(
        screen: ScreenId,
        plate: PlateName,
        well: WellName,
        site: SiteName,
        query: Annotated[ImageQuery, Query()],
        accept: Accept = None,
        condition: Condition = None,
    ) -> Response:
        """Return a picture from the image files of a site. 404 where they have moved, and 409 where they are not the
        files that were embedded any more; the thumbnail stays in both cases."""
        pictures = services().pictures
        subject = pictures.screen(screen)
        view = view_of(subject.channels, query.channel or (), query.colour or ())
        request = ImageRequest(
            view=view,
            level=query.level,
            crop=None if query.crop is None else read_crop(query.crop),
            limits=read_limits(query.limits, len(view.channels)),
            kind=_kind(query.format, accept, _PNG_FIRST),
        )
        return _answer(pictures.image(subject, SiteId(plate, well, site), request), condition)

    @routes.get(f"/thumbnails{_SITE}", responses=_PICTURE, response_class=Response, summary="The thumbnail of a site")
    def thumbnail(
        screen: ScreenId,
        plate: PlateName,
        well: WellName,
        site: SiteName,
        query: Annotated[ThumbnailQuery, Query()],
        accept: Accept = None,
        condition: Condition = None,
    ) -> Response:
        """Return the small picture that was made when the site was embedded, under the limits of its plate. It needs no
        image file."""
        pictures = services().pictures
        subject = pictures.screen(screen)
        view = view_of(subject.channels, query.channel or (), query.colour or ())
        kind = _kind(query.format, accept, _PNG_FIRST)
        return _answer(pictures.thumbnail(subject, SiteId(plate, well, site), view, query.part, kind), condition)

    @routes.get(
        "/sprites/{plate:path}",
        responses=_PICTURE,
        response_model=SpriteIndex,
        summary="All wells of a plate in one picture",
    )
    def sprite(
        screen: ScreenId,
        plate: PlateName,
        query: Annotated[SpriteQuery, Query()],
        accept: Accept = None,
        condition: Condition = None,
    ) -> Response | SpriteIndex:
        """Return the thumbnails of a plate in a grid like the plate. The cell of row r and column c, counted from 1,
        begins at x = (c − 1) · edge, y = (r − 1) · edge. With `Accept: application/json` the answer lists these cells.
        """
        pictures = services().pictures
        subject = pictures.screen(screen)
        request = SpriteRequest(
            view=view_of(subject.channels, query.channel or (), query.colour or ()),
            edge=query.edge,
            site=query.site,
            part=query.part,
            kind=_kind(query.format, accept, _JPEG_FIRST),
        )
        if query.format is None and preferred(accept, (*_JPEG_FIRST, JSON)) == JSON:
            return pictures.sprite_index(subject, plate, request)
        return _answer(pictures.sprite(subject, plate, request), condition)

    return routes


def _kind(kind: PictureFormat | None, accept: str | None, offered: tuple[str, ...]) -> PictureFormat:
    if kind is not None:
        return kind
    media = preferred(accept, offered)
    return next(each for each in PictureFormat if each.media_type == media)


def _answer(picture: Picture, condition: str | None) -> Response:
    """Return a picture, or 304 without one if the client has it."""
    # The answer depends on Accept, and a client has to ask each time whether the pixels are still these.
    headers = {"ETag": f'"{picture.etag}"', "Cache-Control": "private, no-cache", "Vary": "Accept"}
    if condition is not None and _matches(condition, picture.etag):
        return Response(status_code=304, headers=headers)
    return Response(picture.render(), media_type=picture.media_type, headers=headers)


def _matches(condition: str, etag: str) -> bool:
    """Return whether `If-None-Match` names the tag: weak tags count too (RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return "*" in tags or f'"{etag}"' in tags
