"""A client of the analysis service: every route is a method that returns a schema or raises an error of the tree."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter

from gandl_shared.clients.http import HttpClient, Retry
from gandl_shared.plates import SiteId
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.analysis.decisions import Decision, DecisionRequest, DecisionTrail
from gandl_shared.schemas.answers import (
    AnalysisVersion,
    Comparison,
    CompoundCurves,
    CompoundSummary,
    ExportForm,
    Page,
    ScreenAxes,
    SpriteIndex,
)
from gandl_shared.schemas.headers import IDEMPOTENCY_KEY
from gandl_shared.schemas.image_layout import ImageReport
from gandl_shared.schemas.quality import Quality
from gandl_shared.schemas.screen import Hit, ScreenRequest, ScreenStatus, SiteScore, TableRequest, WellScore

CSV, SVG, PNG = "text/csv", "image/svg+xml", "image/png"

_Model = TypeVar("_Model", bound=BaseModel)
_EXPORTS = TypeAdapter(tuple[ExportForm, ...])
_VERSIONS = TypeAdapter(tuple[AnalysisVersion, ...])
MAX_ITEMS_PER_PAGE = 10_000

Filters = Mapping[str, str | float | int | None]


class AnalysisClient:
    """One analysis service. Methods raise the error that the service answers: NotFound, Conflict (no results yet),
    Invalid with its problems, Forbidden, Unavailable, …

    Results are those of the newest analysis, or of the version that is named.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout: float = 120.0,
        retry: Retry | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = HttpClient(
            base_url=base_url, api_key=api_key, timeout=timeout, retry=retry or Retry(), transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    # Screens

    def submit(self, request: ScreenRequest) -> ScreenStatus:
        """Submit a screen. The request has a name of its own, so that it makes one screen even if it is sent twice."""
        return self._post("/screens", request, ScreenStatus, key=uuid.uuid4().hex)

    def submit_table(self, request: TableRequest) -> ScreenStatus:
        """Submit a table of features as a screen without images, which is made once as by `submit`."""
        return self._post("/analyses", request, ScreenStatus, key=uuid.uuid4().hex)

    def inspect(self, request: ScreenRequest) -> ImageReport:
        """Return what the images of a request hold and what is still open; nothing is stored."""
        return self._post("/screens", request.model_copy(update={"dry_run": True}), ImageReport)

    def screens(self, *, limit: int = 100, offset: int = 0) -> Page[ScreenStatus]:
        """Return a page of screens, newest first."""
        return self._read(Page[ScreenStatus], "/screens", {"limit": limit, "offset": offset})

    def screen(self, screen: str) -> ScreenStatus:
        """Return state, progress and parked sites of a screen."""
        return self._read(ScreenStatus, _at(screen))

    def watch(
        self, screen: str, *, every: float = 0.5, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[ScreenStatus]:
        """Yield the status whenever it changes, until the screen has ended. It is read every `every` seconds."""
        last: ScreenStatus | None = None
        while last is None or not last.state.has_ended:
            status = self.screen(screen)
            if status != last:
                yield status
            elif not status.state.has_ended:
                sleep(every)
            last = status

    def delete(self, screen: str) -> None:
        """Delete a screen with its results."""
        self._http.request("DELETE", _at(screen), repeatable=False)

    def cancel(self, screen: str) -> ScreenStatus:
        """Stop a running screen."""
        return self._post(_at(screen, "cancel"), None, ScreenStatus)

    def retry(self, screen: str) -> ScreenStatus:
        """Queue failed or cancelled work of a screen again."""
        return self._post(_at(screen, "retry"), None, ScreenStatus)

    def analyse(self, screen: str, parameters: AnalysisParameters) -> AnalysisVersion:
        """Queue another analysis of a screen whose images are all embedded."""
        return self._post(_at(screen, "analyses"), parameters, AnalysisVersion)

    def analyses(self, screen: str) -> tuple[AnalysisVersion, ...]:
        """Return all analyses of a screen, oldest first."""
        return _VERSIONS.validate_json(self._get(_at(screen, "analyses")).content)

    def decide(self, screen: str, request: DecisionRequest) -> Decision:
        """Exclude something, bring it back, or assess a curve. The request is never repeated."""
        return self._post(_at(screen, "decisions"), request, Decision)

    def decisions(self, screen: str) -> DecisionTrail:
        """Return all decisions about a screen and what stands after them."""
        return self._read(DecisionTrail, _at(screen, "decisions"))

    def decisions_csv(self, screen: str) -> str:
        """Return the trail of a screen as CSV."""
        return self._get(_at(screen, "decisions"), None, CSV).text

    # Results

    def quality(self, screen: str, *, version: int | None = None) -> Quality:
        """Return the assay quality by cell line and plate."""
        return self._read(Quality, _at(screen, "quality"), {"version": version})

    def features_csv(self, screen: str) -> str:
        """Return which features of a table are used, and which rule left out the others."""
        return self._get(_at(screen, "features"), {}).text

    def wells(self, screen: str, *, version: int | None = None, **filters: str | None) -> Iterator[WellScore]:
        """Yield all wells in plate map order. The filters are `role`, `plate`, `cell_line`, `compound`."""
        return self._all(Page[WellScore], _at(screen, "wells"), {"version": version, **filters})

    def wells_csv(self, screen: str, *, version: int | None = None, **filters: str | None) -> str:
        """Return the wells as the text of `wells.csv`."""
        return self._get(_at(screen, "wells"), {"version": version, **filters}, CSV).text

    def sites(self, screen: str, *, version: int | None = None, **filters: str | None) -> Iterator[SiteScore]:
        """Yield all fields of view in plate map order. The filters are those of `wells`."""
        return self._all(Page[SiteScore], _at(screen, "sites"), {"version": version, **filters})

    def axes(self, screen: str, axis: str | None = None, *, version: int | None = None) -> ScreenAxes:
        """Return every well in the plane of each axis, or of the axes of one name."""
        return self._read(ScreenAxes, _at(screen, "axes"), {"version": version, "axis": axis})

    def hits(self, screen: str, *, version: int | None = None, **filters: str | float | None) -> Iterator[Hit]:
        """Yield all compounds, best first. The filters are `cell_line`, `verdict`, `max_q`, `min_emax`."""
        return self._all(Page[Hit], _at(screen, "hits"), {"version": version, **filters})

    def hits_csv(self, screen: str, *, version: int | None = None, **filters: str | float | None) -> str:
        """Return the ranking as CSV."""
        return self._get(_at(screen, "hits"), {"version": version, **filters}, CSV).text

    def exports(self, screen: str) -> tuple[ExportForm, ...]:
        """Return what can be taken along from a screen."""
        return _EXPORTS.validate_json(self._get(_at(screen, "exports")).content)

    def export(self, screen: str, name: str, *, version: int | None = None, **choices: str | None) -> bytes:
        """Return a file of `exports`, such as `workbook.xlsx`. The choices are those that the export names."""
        return self._get(_at(screen, "exports", quote(name, safe="")), {"version": version, **choices}).content

    def compare(
        self, screen: str, other: str, *, version: int | None = None, other_version: int | None = None
    ) -> Comparison:
        """Compare two analyses well by well and curve by curve."""
        params = {"version": version, "other_version": other_version}
        return self._read(Comparison, _at(screen, "compare", quote(other, safe="")), params)

    def report(self, screen: str, *, version: int | None = None) -> str:
        """Return the report, which is one HTML file."""
        return self._get(_at(screen, "report"), {"version": version}).text

    # Pictures

    def image(self, screen: str, site: SiteId, **choices: str | int | None) -> bytes:
        """Return a site at full resolution; the choices are the parameters of docs/pictures.md, such as `channel`."""
        return self._get(_at(screen, "images", *map(_encoded, site)), choices).content

    def thumbnail(self, screen: str, site: SiteId, **choices: str | int | None) -> bytes:
        """Return the small picture of a site that was made when it was embedded; `part="tile"` is its typical tile."""
        return self._get(_at(screen, "thumbnails", *map(_encoded, site)), choices).content

    def sprite(self, screen: str, plate: str, **choices: str | int | None) -> bytes:
        """Return all wells of a plate in one picture, which `sprite_index` explains."""
        return self._get(_at(screen, "sprites", _encoded(plate)), choices).content

    def sprite_index(self, screen: str, plate: str, **choices: str | int | None) -> SpriteIndex:
        """Return where each well is in the sprite of a plate."""
        answer = self._get(_at(screen, "sprites", _encoded(plate)), choices, "application/json")
        return SpriteIndex.model_validate_json(answer.content)

    # Compounds

    def compounds(
        self, *, screen: str | None = None, cell_line: str | None = None, q: str | None = None
    ) -> Iterator[CompoundSummary]:
        """Yield tested compounds by name; `q` is a part of the name."""
        return self._all(Page[CompoundSummary], "/compounds", {"screen": screen, "cell_line": cell_line, "q": q})

    def dose_response(
        self, compound: str, *, screen: str | None = None, cell_line: str | None = None, version: int | None = None
    ) -> CompoundCurves:
        """Return every curve of a compound, newest screen first."""
        params = {"screen": screen, "cell_line": cell_line, "version": version}
        return self._read(CompoundCurves, _curves(compound), params)

    def dose_response_as(
        self, media: str, compound: str, *, screen: str | None = None, cell_line: str | None = None
    ) -> bytes:
        """Return the curves of a compound as CSV, SVG or PNG; `media` is one of the types above."""
        return self._get(_curves(compound), {"screen": screen, "cell_line": cell_line}, media).content

    def _read(self, kind: type[_Model], path: str, params: Filters | None = None) -> _Model:
        return kind.model_validate_json(self._get(path, params).content)

    def _all(self, kind: type[Page[_Model]], path: str, params: Filters) -> Iterator[_Model]:
        # A page may be empty although the total is larger, if items are deleted meanwhile; the offset must still grow.
        offset, total = 0, 1
        while offset < total:
            page = self._read(kind, path, {**params, "offset": offset, "limit": MAX_ITEMS_PER_PAGE})
            yield from page.items
            offset, total = offset + max(len(page.items), 1), page.total

    def _get(self, path: str, params: Filters | None = None, accept: str | None = None) -> httpx.Response:
        query = {name: str(value) for name, value in (params or {}).items() if value is not None}
        return self._http.request("GET", path, params=query, headers={"Accept": accept} if accept else None)

    def _post(self, path: str, body: BaseModel | None, kind: type[_Model], *, key: str | None = None) -> _Model:
        content = body.model_dump_json().encode() if body is not None else None
        headers = {} if body is None else {"Content-Type": "application/json"}
        headers |= {} if key is None else {IDEMPOTENCY_KEY: key}
        # After a lost answer, only a POST with a name may be repeated, because another may have created something.
        answer = self._http.request("POST", path, headers=headers, content=content, repeatable=key is not None)
        return kind.model_validate_json(answer.content)


def _at(screen: str, *below: str) -> str:
    return "/".join(("/screens", quote(screen, safe=""), *below))


def _encoded(name: str) -> str:
    return quote(name, safe="")


def _curves(compound: str) -> str:
    # The name of a compound may contain a slash, which must not divide the path.
    return f"/compounds/{quote(compound, safe='')}/dose-response"
