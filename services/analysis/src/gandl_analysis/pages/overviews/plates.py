"""The pages of the plates of a screen: all of them on one scale, and one with a link in every well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from gandl_shared.errors import NotFound
from markupsafe import Markup

from gandl_analysis.api.provider import Provider
from gandl_analysis.figures.light.plate import plate_picture
from gandl_analysis.pages.frame.answers import page_router, render_page
from gandl_analysis.pages.frame.queries import PageVersion
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.screen_frame import FramedAnalysis, Tab, framed_analysis
from gandl_analysis.pages.overviews.plate_view import plate_view, plates_of, scale_of, value_text
from gandl_analysis.report.quantities import SITE_METRIC, Quantity, quantities, site_metric, site_metric_names

PLATES_PER_PAGE = 24

PageQuantity = Annotated[str, Query(max_length=500, description="the quantity by which wells are coloured")]
PageNumber = Annotated[int, Query(ge=1, le=10_000, description="number of the page, from 1")]


def router(reader: ScreenReader, services: Provider | None = None) -> APIRouter:
    """Return the routes of the plates of a screen; without services, thumbnails are taken for stored."""
    routes = page_router()

    @routes.get("/screens/{screen_id}/plates")
    def show_plates(
        request: Request,
        screen_id: str,
        quantity: PageQuantity = "efficacy",
        page: PageNumber = 1,
        version: PageVersion = None,
    ) -> HTMLResponse:
        """All plates on one scale."""
        framed = framed_analysis(request, reader, screen_id, version, Tab.PLATES)
        selection = _quantity(framed, reader, quantity)
        plates = plates_of(framed.analysis)
        part = plates[(page - 1) * PLATES_PER_PAGE : page * PLATES_PER_PAGE]
        return render_page(
            "plates.html",
            base=framed.frame.base,
            frame=framed.frame,
            quantity=selection,
            offered=_offered(framed),
            scale=scale_of(selection),
            pictures=[(plate, _picture(framed, plate, selection)) for plate in part],
            addresses={plate: _address(framed, plate, selection) for plate in part},
            page=page,
            pages=max(1, -(-len(plates) // PLATES_PER_PAGE)),
            n_plates=len(plates),
        )

    @routes.get("/screens/{screen_id}/plates/{plate:path}")
    def show_plate(
        request: Request,
        screen_id: str,
        plate: str,
        quantity: PageQuantity = "efficacy",
        view: Annotated[str, Query(pattern="^(values|pictures)$", description="values or pictures")] = "values",
        version: PageVersion = None,
    ) -> HTMLResponse:
        """One plate: a link to the page of each well."""
        framed = framed_analysis(request, reader, screen_id, version, Tab.PLATES)
        plates = plates_of(framed.analysis)
        if plate not in plates:
            raise NotFound(f"screen {screen_id} has no plate '{plate}'; it has {', '.join(plates[:10])}")
        selection, index = _quantity(framed, reader, quantity), plates.index(plate)
        return render_page(
            "plate.html",
            base=framed.frame.base,
            frame=framed.frame,
            plate=plate_view(framed.analysis, plate, selection),
            quantity=selection,
            offered=_offered(framed),
            scale=scale_of(selection),
            view=view,
            has_thumbnails=services is None or services().pictures.has_thumbnails(screen_id),
            has_pictures=framed.analysis.provenance.table is None,
            sprite=f"{framed.frame.base}/screens/{quote(screen_id, safe='')}/sprites/{quote(plate, safe='')}",
            effects=_position_effects(framed, plate),
            before=_neighbour(framed, plates, index - 1, selection),
            after=_neighbour(framed, plates, index + 1, selection),
            value_text=value_text,
        )

    return routes


def _quantity(framed: FramedAnalysis, reader: ScreenReader, name: str) -> Quantity:
    analysis = framed.analysis
    if name.startswith(SITE_METRIC) and name in site_metric_names(analysis):
        return site_metric(analysis, reader.profiles(framed.frame.status.id), name)
    by_name = {quantity.name: quantity for quantity in quantities(analysis)}
    if name not in by_name:
        names = ", ".join([*by_name, *site_metric_names(analysis)])
        raise NotFound(f"this screen has no quantity '{name}' of wells; it has {names}")
    return by_name[name]


def _offered(framed: FramedAnalysis) -> Sequence[tuple[str, str]]:
    """The names and labels of the quantities from which a reader chooses."""
    own = [(quantity.name, quantity.label) for quantity in quantities(framed.analysis)]
    return [*own, *site_metric_names(framed.analysis).items()]


def _picture(framed: FramedAnalysis, plate: str, quantity: Quantity) -> Markup:
    wells = [well for well in framed.analysis.wells if well.plate == plate]
    values = {well.well: quantity.values.get((plate, well.well)) for well in wells}
    scored = sum(value is not None for value in values.values())
    label = f"Plate {plate} by {quantity.label}: {scored} of {len(wells)} wells have a value."
    # Every text in the picture was escaped when it was made.
    return Markup(plate_picture(wells, values, scale_of(quantity), label))


def _address(framed: FramedAnalysis, plate: str, quantity: Quantity) -> str:
    return framed.frame.page_address(f"plates/{quote(plate, safe='')}", quantity=_unless_default(quantity))


def _neighbour(framed: FramedAnalysis, plates: Sequence[str], index: int, quantity: Quantity) -> tuple[str, str] | None:
    if not 0 <= index < len(plates):
        return None
    return plates[index], _address(framed, plates[index], quantity)


def _unless_default(quantity: Quantity) -> str | None:
    return None if quantity.name == "efficacy" else quantity.name


def _position_effects(framed: FramedAnalysis, plate: str) -> Sequence[tuple[str, object]]:
    """The tests of rows and columns of this plate that the analysis made, by cell line."""
    return [
        (cell_line, effect)
        for cell_line, probes in framed.analysis.quality.probes.items()
        for effect in probes.positions
        if effect.plate == plate
    ]
