"""The page of a compound in a screen: its curves, whose points lead to their wells, and its cells at every dose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from gandl_shared.errors import NotFound
from gandl_shared.schemas.curve import Curve, CurveAssessment, CurvePoint
from gandl_shared.schemas.screen import WellScore
from markupsafe import Markup

from gandl_analysis.api.provider import Provider
from gandl_analysis.figures.pixels.strips import StripSource, StripTile, TileChoice
from gandl_analysis.pages.evidence.addresses import PictureAddresses
from gandl_analysis.pages.evidence.structures import structure_of
from gandl_analysis.pages.frame.answers import page_router, render_page
from gandl_analysis.pages.frame.queries import PageVersion
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.screen_frame import Frame, FramedAnalysis, Tab, framed_analysis
from gandl_analysis.pipeline.curves.potency import PotencyRatio, compound_ratios
from gandl_analysis.report.drawings import PointLink, draw_curve
from gandl_analysis.report.numbers import concentration, fixed
from gandl_analysis.service.filters import WellFilter

LARGE_CURVE = (7.4, 4.2)
"""Inches of a curve on its own page."""
MAX_OTHER_VERSIONS = 20
"""The most versions of the same screen whose curves are listed; each is read from the store."""

Wells = Mapping[tuple[str, str], WellScore]
Choice = Annotated[TileChoice, Query(description="which well and tile stand for a dose")]


@dataclass(frozen=True, kw_only=True)
class StripStep:
    """A tile of a strip on the page, with the address of its picture and of its well."""

    tile: StripTile
    picture: str
    address: str


@dataclass(frozen=True, kw_only=True)
class CurveSection:
    """A curve on the page: its drawing, its tiles, and the scores of its wells."""

    curve: Curve
    drawing: Markup
    strip: tuple[StripStep, ...]


@dataclass(frozen=True, kw_only=True)
class OtherCurve:
    """The curve of the compound in another screen or version."""

    screen: str
    version: int | None
    curve: Curve
    address: str


def router(reader: ScreenReader, services: Provider | None = None) -> APIRouter:
    """Return the routes of the page of a compound; without services there are no pictures and no other results."""
    routes = page_router()

    @routes.get("/screens/{screen_id}/compounds/{compound:path}")
    def show_compound(
        request: Request,
        screen_id: str,
        compound: str,
        version: PageVersion = None,
        choice: Choice = TileChoice.MEDIAN,
    ) -> HTMLResponse:
        """One compound: a large curve with touchable points, its tiles, the parameters and the doses of each cell
        line."""
        framed = framed_analysis(request, reader, screen_id, version, Tab.REPORT)
        curves = [curve for curve in framed.analysis.curves if curve.compound == compound]
        if not curves:
            raise NotFound(f"screen {screen_id} has no curve of the compound {compound!r}")
        wells = {(well.plate, well.well): well for well in framed.analysis.wells}
        strip = _strips(services, framed, choice)
        sections = [
            CurveSection(
                curve=curve,
                drawing=draw_curve(curve, f"curve-{k}", LARGE_CURVE, _links(framed.frame, curve, wells)),
                strip=strip(curve),
            )
            for k, curve in enumerate(curves)
        ]
        return render_page(
            "compound.html",
            base=framed.frame.base,
            frame=framed.frame,
            compound=compound,
            sections=sections,
            ratios=_ratios(framed, compound),
            wells=wells,
            choice=choice,
            choices=tuple(TileChoice),
            has_others=services is not None,
            assessments=_assessments(services, screen_id, compound),
            structure=structure_of(curves),
        )

    if services is not None:

        @routes.get("/screens/{screen_id}/other-results/{compound:path}")
        def show_others(request: Request, screen_id: str, compound: str, version: PageVersion = None) -> HTMLResponse:
            """The curves of the compound in other screens and in other versions of this screen."""
            framed = framed_analysis(request, reader, screen_id, version, Tab.REPORT)
            others = _other_curves(services, framed.frame, compound)
            return render_page(
                "other_results.html", base=framed.frame.base, frame=framed.frame, compound=compound, others=others
            )

    return routes


def _assessments(services: Provider | None, screen: str, compound: str) -> Mapping[str, CurveAssessment]:
    """Return what people have set beside the curves of a compound, by cell line."""
    if services is None:
        return {}
    return {a.cell_line: a for a in services().decisions.assessments(screen) if a.compound == compound}


def _ratios(framed: FramedAnalysis, compound: str) -> Mapping[str, PotencyRatio]:
    """Return the potencies of a compound relative to the reference of the analysis, by cell line."""
    analysis = framed.analysis
    ratios = compound_ratios(analysis.provenance.parameters.curves, analysis.curves, compound)
    return {ratio.cell_line: ratio for ratio in ratios}


def _links(frame: Frame, curve: Curve, wells: Wells) -> Callable[[CurvePoint], PointLink] | None:
    """Return what the points of a curve say and where they lead; None for a curve whose wells are not named."""
    if any(point.plate is None or point.well is None for point in curve.points):
        return None

    def link(point: CurvePoint) -> PointLink:
        plate, well = point.plate or "", point.well or ""
        return PointLink(title=_point_text(point, curve, wells), address=frame.well_address(plate, well))

    return link


def _point_text(point: CurvePoint, curve: Curve, wells: Wells) -> str:
    """Return well, dose, efficacy, off-axis distance and weight of a point."""
    score = wells.get((point.plate or "", point.well or ""))
    off_axis = fixed(score.off_distance) if score is not None else "–"
    parts = [
        f"{point.plate} {point.well}",
        concentration(point.concentration, curve.ec50.unit),
        f"efficacy {fixed(point.efficacy, sign=True)}",
        f"off-axis distance {off_axis}",
        f"weight {fixed(point.weight)}",
    ]
    return ", ".join(parts) + (f", left out: {point.excluded}" if point.excluded else "")


def _strips(
    services: Provider | None, framed: FramedAnalysis, choice: TileChoice
) -> Callable[[Curve], tuple[StripStep, ...]]:
    """Return the function that gives the tiles of a curve; none where no thumbnail is stored."""
    frame = framed.frame
    if services is None or not services().pictures.has_thumbnails(frame.status.id):
        return lambda curve: ()
    sites = services().results.sites(frame.status.id, frame.version, WellFilter())
    source = StripSource(framed.analysis.wells, sites)
    addresses = PictureAddresses(frame.base, frame.status.id)

    def strip(curve: Curve) -> tuple[StripStep, ...]:
        return tuple(
            StripStep(
                tile=tile,
                picture=addresses.tile(tile.site),
                address=frame.well_address(tile.site.plate, tile.site.well),
            )
            for tile in source.strip(curve, choice)
        )

    return strip


def _other_curves(services: Provider, frame: Frame, compound: str) -> list[OtherCurve]:
    """Return the curves of other screens, newest first, then those of other versions of this screen."""
    screen, results = frame.status.id, services().results
    names = {status.id: status.name for status in services().submissions.all()}
    # The result of another screen may have been deleted since it was listed, and then it is no result any more.
    elsewhere = [curve for curve in results.curves(compound) if curve.screen not in (None, screen)]
    others = [
        OtherCurve(
            screen=names.get(curve.screen or "", curve.screen or ""),
            version=None,
            curve=curve,
            address=frame.compound_address_in(curve.screen or "", compound),
        )
        for curve in elsewhere
    ]
    versions = [each.version for each in services().submissions.analyses(screen) if each.state.value == "done"]
    for version in sorted(versions, reverse=True)[:MAX_OTHER_VERSIONS]:
        if version == frame.version:
            continue
        curves = [curve for curve in results.of(screen, version).analysis.curves if curve.compound == compound]
        others += [
            OtherCurve(
                screen=frame.status.name,
                version=version,
                curve=curve,
                address=frame.compound_address_in(screen, compound, version),
            )
            for curve in curves
        ]
    return others
