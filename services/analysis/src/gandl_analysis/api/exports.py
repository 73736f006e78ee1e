"""Routes of exports: what of a screen can be taken along, and each of it as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from gandl_shared.schemas.answers import ExportForm
from gandl_shared.web.errors import error_responses
from gandl_shared.web.query import NO_QUERY

from gandl_analysis.api.parameters import ScreenId, Text, VersionQuery
from gandl_analysis.api.provider import Provider
from gandl_analysis.formats.exports.catalog import EXPORTS, export_of
from gandl_analysis.formats.exports.source import ExportChoice
from gandl_analysis.service.exports import export_source

ExportName = Annotated[str, Path(description="name of the export, from `GET /screens/{id}/exports`", max_length=100)]
_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_ERRORS = error_responses(401, 404, 409, 413, 422, 500, 503)
_FILES: dict[int | str, dict[str, Any]] = {
    **_ERRORS,
    200: {"content": dict.fromkeys([export.media for export in EXPORTS], _FILE)},
}


class ExportQuery(VersionQuery):
    """Which part of which analysis is exported; an export refuses what it does not take."""

    plate: Text | None = None
    compound: Text | None = None
    cell_line: Text | None = None
    quantity: Text | None = None

    @property
    def choice(self) -> ExportChoice:
        """The choice of the export; a form sends an empty text for everything."""
        return ExportChoice(
            plate=self.plate or None,
            compound=self.compound or None,
            cell_line=self.cell_line or None,
            quantity=self.quantity or None,
        )


def router(services: Provider) -> APIRouter:
    """Return the routes of exports, which answer 409 as long as there is no analysis."""
    routes = APIRouter(prefix="/screens/{id}/exports", tags=["results"])

    @routes.get("", responses=error_responses(401, 404, 422, 500, 503), summary="Exports", dependencies=[NO_QUERY])
    def exports(screen: ScreenId) -> list[ExportForm]:
        """List all exports with their media types and the parameters that each takes."""
        services().submissions.status(screen)
        return [
            ExportForm(name=e.name, media_type=e.media, meaning=e.meaning, parameters=tuple(sorted(e.choices)))
            for e in EXPORTS
        ]

    @routes.get("/{name}", responses=_FILES, response_class=Response, summary="An export as a file")
    def export(
        screen: ScreenId, name: ExportName, query: Annotated[ExportQuery, Query()], request: Request
    ) -> Response:
        """Return a file: a table (CSV, Parquet), the workbook, an XY table for Prism, plates as grids, structures, a
        figure, the report, a notebook that reads the tables, or all of it as one archive that is sent while it is made.
        """
        wish = export_of(name)
        source = export_source(
            services().results, services().pictures, screen, query.version, str(request.base_url).rstrip("/")
        )
        content = wish.of(source, query.choice)
        headers = {
            # The id of a screen and the names of exports need no quoting, unlike the name that a user gave.
            "Content-Disposition": f'attachment; filename="{source.screen}-v{source.version}-{wish.name}"',
            "X-Content-Type-Options": "nosniff",
        }
        return _answer(content, wish.media, headers)

    return routes


def _answer(content: bytes | Iterator[bytes], media: str, headers: dict[str, str]) -> Response:
    if isinstance(content, bytes):
        return Response(content, media_type=media, headers=headers)
    return StreamingResponse(content, media_type=media, headers=headers)
