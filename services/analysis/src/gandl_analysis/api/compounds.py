"""Routes of compounds: which there are, and the curves of one as JSON, CSV, SVG or PNG."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from gandl_shared.schemas.answers import CompoundCurves, CompoundSummary, Page
from gandl_shared.web.app import error_responses

from gandl_analysis.api.negotiation import CSV, JSON, PNG, SVG, preferred
from gandl_analysis.api.parameters import Accept, CompoundName, Text, Version, Window, content
from gandl_analysis.api.provider import Provider
from gandl_analysis.figures.montage import curves_png, curves_svg
from gandl_analysis.formats.csv_tables import compound_csv, points_csv

_ERRORS = error_responses(401, 404, 409, 422, 500, 503)


class CompoundRoutes:
    """Compounds across the screens that are done, or within one."""

    def __init__(self, services: Provider) -> None:
        self._services = services

    def add_to(self, router: APIRouter) -> None:
        """Register the routes."""
        router.get("/compounds", responses=error_responses(401, 404, 422, 500, 503), summary="Tested compounds")(
            self.all
        )
        router.get(
            "/compounds/{id:path}/dose-response",
            responses={**_ERRORS, **content(CSV, SVG, PNG)},
            response_model=CompoundCurves,
            summary="Dose-response curves of a compound",
        )(self.dose_response)

    def all(
        self,
        window: Annotated[Window, Depends()],
        screen: Text = None,
        cell_line: Text = None,
        q: Annotated[Text, Query(description="part of the name, in any case")] = None,
    ) -> Page[CompoundSummary]:
        """Compounds by name. `id` is the name as it stands in a path."""
        return self._services().results.compounds(screen, cell_line, q, offset=window.offset, limit=window.limit)

    def dose_response(
        self,
        compound: CompoundName,
        *,
        screen: Text = None,
        cell_line: Text = None,
        version: Version = None,
        points: Annotated[bool, Query(description="CSV with a row a well instead of a row a curve")] = False,
        accept: Accept = None,
    ) -> CompoundCurves | Response:
        """Every curve of the compound: one a screen and cell line, newest screen first. A picture shows them all."""
        curves = self._services().results.curves(compound, screen, cell_line, version)
        form = preferred(accept, (JSON, CSV, SVG, PNG))
        if form == CSV:
            return Response(points_csv(curves) if points else compound_csv(curves), media_type=CSV)
        if form == JSON:
            return CompoundCurves(compound=compound, curves=curves)
        return Response(curves_svg(curves) if form == SVG else curves_png(curves), media_type=form)
