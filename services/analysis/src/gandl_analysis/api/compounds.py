"""Routes of compounds: the list of them, and the curves of one as JSON, CSV, SVG or PNG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from gandl_shared.schemas.answers import CompoundCurves, CompoundSummary, Page
from gandl_shared.schemas.curve import Curve
from gandl_shared.web.errors import error_responses
from gandl_shared.web.negotiation import CSV, JSON, PNG, SVG, preferred

from gandl_analysis.api.parameters import Accept, CompoundName, CompoundsQuery, CurvesQuery, CurveTable, content
from gandl_analysis.api.provider import Provider
from gandl_analysis.figures.montage import curves_png, curves_svg
from gandl_analysis.formats.tables.curves import compound_csv, covariances_csv, lines_csv, points_csv

_LIST_ERRORS = error_responses(401, 404, 422, 500, 503)
_CURVE_ERRORS = error_responses(401, 404, 409, 422, 500, 503)
_TABLES: Mapping[CurveTable, Callable[[Sequence[Curve]], str]] = {
    CurveTable.WELLS: points_csv,
    CurveTable.LINES: lines_csv,
    CurveTable.COVARIANCES: covariances_csv,
}
"""The tables of the parts of curves; the table of the curves themselves has more columns."""


def router(services: Provider) -> APIRouter:
    """Return the routes of compounds over all screens that are done, or within one."""
    routes = APIRouter(tags=["compounds"])

    @routes.get("/compounds", name="all", responses=_LIST_ERRORS, summary="Tested compounds")
    def list_compounds(query: Annotated[CompoundsQuery, Query()]) -> Page[CompoundSummary]:
        """List compounds by name. `id` is the name as it is written in a path."""
        return services().results.compounds(
            query.screen, query.cell_line, query.q, offset=query.offset, limit=query.limit
        )

    # `path`, because a name may hold an encoded slash.
    @routes.get(
        "/compounds/{id:path}/dose-response",
        responses={**_CURVE_ERRORS, **content(CSV, SVG, PNG)},
        response_model=CompoundCurves,
        summary="Dose-response curves of a compound",
    )
    def dose_response(
        compound: CompoundName, query: Annotated[CurvesQuery, Query()], accept: Accept = None
    ) -> CompoundCurves | Response:
        """Return every curve of the compound: one per screen and cell line, newest screen first. A picture shows all of
        them."""
        curves = services().results.curves(compound, query.screen, query.cell_line, query.version)
        media = preferred(accept, (JSON, CSV, SVG, PNG))
        if media == JSON:
            assessments = services().results.assessments(curves)
            return CompoundCurves(compound=compound, curves=curves, assessments=assessments)
        if media == CSV and query.shown_table is CurveTable.CURVES:
            return Response(compound_csv(curves, services().results.assessments(curves)), media_type=CSV)
        return Response(_rendered(curves, media, query.shown_table), media_type=media)

    return routes


def _rendered(curves: Sequence[Curve], media: str, table: CurveTable) -> str | bytes:
    if media == CSV:
        return _TABLES[table](curves)
    return curves_svg(curves) if media == SVG else curves_png(curves)
