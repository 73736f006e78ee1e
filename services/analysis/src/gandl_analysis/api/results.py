"""Routes of what an analysis found: quality, wells, sites, axes, hits, the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import HTMLResponse, Response
from gandl_shared.plates import Role
from gandl_shared.schemas.answers import Comparison, Page, ScreenAxes
from gandl_shared.schemas.quality import Quality
from gandl_shared.schemas.screen import Hit, SiteScore, WellScore
from gandl_shared.schemas.vocabulary import Verdict
from gandl_shared.web.app import error_responses

from gandl_analysis.api.negotiation import CSV, JSON, preferred
from gandl_analysis.api.parameters import Accept, AxisName, ScreenId, Text, Version, Window, content
from gandl_analysis.api.provider import Provider
from gandl_analysis.formats.csv_tables import hits_csv
from gandl_analysis.formats.output_folder import sites_csv, wells_csv
from gandl_analysis.report.render import render_report
from gandl_analysis.service.comparison import compare
from gandl_analysis.service.filters import HitFilter, WellFilter
from gandl_analysis.service.results import axes_of

T = TypeVar("T")

_ERRORS = error_responses(401, 404, 409, 422, 500, 503)
_PAGE: dict[int | str, dict[str, Any]] = {**_ERRORS, 200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


class ResultRoutes:
    """Read the stored analysis of a screen: the newest, or the one of `?version=`. 409 while there is none."""

    def __init__(self, services: Provider) -> None:
        self._services = services

    def add_to(self, router: APIRouter) -> None:
        """Register the routes."""
        at = "/screens/{id}"
        table = {**_ERRORS, **content(CSV)}
        router.get(f"{at}/quality", responses=_ERRORS, summary="Assay quality")(self.quality)
        router.get(f"{at}/wells", responses=table, response_model=Page[WellScore], summary="Wells")(self.wells)
        router.get(f"{at}/sites", responses=table, response_model=Page[SiteScore], summary="Fields of view")(self.sites)
        router.get(f"{at}/axes", responses=_ERRORS, summary="Wells in the plane of each axis")(self.axes)
        router.get(f"{at}/hits", responses=table, response_model=Page[Hit], summary="Ranked compounds")(self.hits)
        router.get(f"{at}/compare/{{other}}", responses=_ERRORS, summary="Two analyses side by side")(self.compare)
        router.get(f"{at}/report", responses=_PAGE, response_class=Response, summary="The report")(self.report)

    def quality(self, screen: ScreenId, version: Version = None) -> Quality:
        """Z′, robust Z′, V-factor, SSMD and accuracy of every cell line and plate, from out-of-fold scores."""
        return self._services().results.of(screen, version).analysis.quality

    def wells(
        self,
        screen: ScreenId,
        chosen: Annotated[WellQuery, Depends()],
        window: Annotated[Window, Depends()],
        version: Version = None,
        accept: Accept = None,
    ) -> Page[WellScore] | Response:
        """Scores of the wells in plate map order; CSV has the columns of `wells.csv`, and all rows."""
        wells = self._services().results.wells(screen, version, chosen.filter)
        return _table(wells, wells_csv, window, accept)

    def sites(
        self,
        screen: ScreenId,
        chosen: Annotated[WellQuery, Depends()],
        window: Annotated[Window, Depends()],
        version: Version = None,
        accept: Accept = None,
    ) -> Page[SiteScore] | Response:
        """Scores of the fields of view, in plate map order; CSV has the columns of `sites.csv`, and all rows."""
        sites = self._services().results.sites(screen, version, chosen.filter)
        return _table(sites, sites_csv, window, accept)

    def axes(
        self,
        screen: ScreenId,
        axis: Annotated[
            list[AxisName] | None, Query(description="names of axes, such as E2 or C2; all if absent")
        ] = None,
        version: Version = None,
    ) -> ScreenAxes:
        """Every well with vectors as a point of each axis: `on` along it, `off` beside it, its distance from the two
        groups; and how well these are told apart out of fold."""
        return axes_of(self._services().results.of(screen, version), axis or ())

    def hits(
        self,
        screen: ScreenId,
        chosen: Annotated[HitQuery, Depends()],
        window: Annotated[Window, Depends()],
        version: Version = None,
        accept: Accept = None,
    ) -> Page[Hit] | Response:
        """Compounds by rank within their cell line: active before biphasic ones, then by class of q (0.001, 0.01,
        0.05), Emax in steps of 0.1, the window between EC50 and toxicity, and last by q, Emax and EC50 as they are.
        Toxic, inactive and undetermined compounds have no rank and come last. Filters leave the ranks as they are."""
        hits = self._services().results.hits(screen, version, chosen.filter)
        return _table(hits, hits_csv, window, accept)

    def compare(
        self,
        screen: ScreenId,
        other: Annotated[str, Path(description="id of a screen, the same one to compare two of its analyses")],
        version: Version = None,
        other_version: Version = None,
    ) -> Comparison:
        """Well by well and curve by curve: two screens, or two versions of the analysis of one."""
        results = self._services().results
        return compare(results.of(screen, version), results.of(other, other_version))

    def report(self, screen: ScreenId, version: Version = None) -> HTMLResponse:
        """The same `report.html` that `gandl screen` writes: one file that needs no network."""
        return HTMLResponse(render_report(self._services().results.of(screen, version).analysis))


def _table(
    items: Sequence[T], as_csv: Callable[[Sequence[T]], str | bytes], window: Window, accept: str | None
) -> Page[T] | Response:
    """All of them as CSV where that is preferred, else a page of them."""
    if preferred(accept, (JSON, CSV)) == CSV:
        return Response(as_csv(items), media_type=CSV)
    return window.page(items)


class WellQuery:
    """Which wells: all, or those of a role, plate, cell line or compound."""

    def __init__(
        self, role: Role | None = None, plate: Text = None, cell_line: Text = None, compound: Text = None
    ) -> None:
        self.filter = WellFilter(role=role, plate=plate, cell_line=cell_line, compound=compound)


class HitQuery:
    """Which hits: `verdict` may be given several times."""

    def __init__(
        self,
        cell_line: Text = None,
        verdict: Annotated[list[Verdict] | None, Query()] = None,
        max_q: Annotated[float | None, Query(ge=0, le=1)] = None,
        min_emax: Annotated[float | None, Query(allow_inf_nan=False)] = None,
    ) -> None:
        verdicts = frozenset(verdict) if verdict else None
        self.filter = HitFilter(cell_line=cell_line, verdicts=verdicts, max_q=max_q, min_emax=min_emax)
