"""The gallery of curves: small multiples, those that deserve a look first, and chosen ones over each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from gandl_shared.schemas.curve import Curve, CurveModel
from gandl_shared.schemas.vocabulary import Verdict
from gandl_shared.web.query import QueryModel
from markupsafe import Markup
from pydantic import BeforeValidator, Field

from gandl_analysis.api.parameters import MAX_INTEGER, Text
from gandl_analysis.figures.light.curve import curve_picture, overlay_picture, overlay_style
from gandl_analysis.pages.frame.answers import page_router, render_page
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.screen_frame import FramedAnalysis, Tab, framed_analysis
from gandl_analysis.pages.overviews.curve_review import (
    MAX_OVERLAID,
    Attention,
    CurveFilter,
    CurveOrder,
    chosen_curves,
    review_curves,
    sort_curves,
)
from gandl_analysis.report.drawings import curve_label

CURVES_PER_PAGE = 48


def _none_if_empty(value: object) -> object:
    # A form sends an empty text for "all".
    return None if value == "" else value


_Empty = BeforeValidator(_none_if_empty)


class GalleryQuery(QueryModel):
    """Which curves the gallery shows, in which order, and which it lays over each other."""

    verdict: Annotated[Verdict | None, _Empty] = None
    model: Annotated[CurveModel | None, _Empty] = None
    attention: Annotated[Attention | None, _Empty] = None
    cell_line: Annotated[Text | None, _Empty] = None
    q: Text = ""
    sort: CurveOrder = CurveOrder.ATTENTION
    page: int = Field(default=1, ge=1, le=10_000)
    overlay: list[Text] = Field(default=[], max_length=100)
    version: int | None = Field(default=None, ge=1, le=MAX_INTEGER)

    @property
    def filter(self) -> CurveFilter:
        """The filter of the gallery."""
        return CurveFilter(
            verdict=self.verdict,
            model=self.model,
            attention=self.attention,
            cell_line=self.cell_line,
            text=self.q.strip(),
        )

    @property
    def choices(self) -> dict[str, object]:
        """The parameters of an address that repeats this choice on its first page."""
        values = self.model_dump(mode="json", exclude={"page", "version"}, exclude_defaults=True)
        return {name: value for name, value in values.items() if value not in (None, "", [])}


def router(reader: ScreenReader) -> APIRouter:
    """Return the route of the gallery."""
    routes = page_router()

    @routes.get("/screens/{screen_id}/curves")
    def show_curves(request: Request, screen_id: str, query: Annotated[GalleryQuery, Query()]) -> HTMLResponse:
        """The curves of a screen, page by page."""
        framed = framed_analysis(request, reader, screen_id, query.version, Tab.CURVES)
        analysis = framed.analysis
        reviewed = review_curves(analysis.curves, analysis.provenance.parameters.alpha)
        selection = sort_curves(query.filter.select(reviewed), query.sort)
        part = selection[(query.page - 1) * CURVES_PER_PAGE : query.page * CURVES_PER_PAGE]
        return render_page(
            "curves.html",
            base=framed.frame.base,
            frame=framed.frame,
            query=query,
            cards=[(item, _picture(item.curve)) for item in part],
            total=len(selection),
            n_curves=len(reviewed),
            pages=max(1, -(-len(selection) // CURVES_PER_PAGE)),
            cell_lines=tuple(dict.fromkeys(curve.cell_line for curve in analysis.curves)),
            attentions=tuple(Attention),
            models=tuple(CurveModel),
            orders=tuple(CurveOrder),
            overlay=_overlay(framed, query),
            max_overlaid=MAX_OVERLAID,
            n_left_out=len(set(query.overlay)) - len(chosen_curves(analysis.curves, query.overlay)),
        )

    return routes


def _picture(curve: Curve) -> Markup:
    # Every text in the picture was escaped when it was made.
    return Markup(curve_picture(curve, curve_label(curve)))


def _overlay(
    framed: FramedAnalysis, query: GalleryQuery
) -> tuple[Markup, Sequence[tuple[Curve, str, str | None]]] | None:
    """The picture of the chosen curves, and each of them with its colour and dashes."""
    curves = chosen_curves(framed.analysis.curves, query.overlay)
    if not curves:
        return None
    names = ", ".join(f"{curve.compound} in {curve.cell_line}" for curve in curves)
    legend = [(curve, *overlay_style(number)) for number, curve in enumerate(curves)]
    return Markup(overlay_picture(curves, f"Curves of {names}.")), legend
