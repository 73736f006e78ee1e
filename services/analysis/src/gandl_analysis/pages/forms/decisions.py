"""The section of a screen where people decide: what is left out, what they set beside a curve, and the trail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.schemas.analysis import ExcludedItem, ExclusionLevel
from gandl_shared.schemas.analysis.decisions import Decision, DecisionRequest
from gandl_shared.schemas.states import AnalysisState
from gandl_shared.schemas.vocabulary import Verdict
from gandl_shared.web.query import QueryModel
from gandl_shared.web.requests.access import session_of_request, set_session
from pydantic import Field, ValidationError
from starlette.concurrency import run_in_threadpool

from gandl_analysis.api.parameters import MAX_INTEGER, Text
from gandl_analysis.api.provider import Provider
from gandl_analysis.formats.tables.decisions import decisions_csv
from gandl_analysis.pages.forms.form import Form, read_form, see_other
from gandl_analysis.pages.frame.answers import base_path, page_router, render_page
from gandl_analysis.pages.frame.reader import ServiceReader
from gandl_analysis.pages.frame.screen_frame import Tab, framed_analysis

_MAX_DIGITS = 6
_TEXTS = ("plate", "well", "site", "compound", "cell_line")
_NEWEST = 100


class DecisionsQuery(QueryModel):
    """The version that is shown, and what fills the forms of a further decision."""

    version: int | None = Field(default=None, ge=1, le=MAX_INTEGER)
    level: Text = ""
    plate: Text = ""
    well: Text = ""
    site: Text = ""
    compound: Text = ""
    cell_line: Text = ""
    concentration_um: Text = ""


def router(services: Provider) -> APIRouter:
    """Return the routes of the section."""
    routes = page_router()
    reader = ServiceReader(services)

    @routes.get("/screens/{screen_id}/decisions.csv")
    def export(screen_id: str) -> Response:
        """The trail as a table."""
        text = decisions_csv(services().decisions.trail(screen_id).decisions)
        headers = {"Content-Disposition": f'attachment; filename="decisions-{screen_id}.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    @routes.get("/screens/{screen_id}/decisions")
    def show_decisions(request: Request, screen_id: str, query: Annotated[DecisionsQuery, Query()]) -> Response:
        """What stands, the forms of further decisions, and the trail."""
        framed = framed_analysis(request, reader, screen_id, query.version, Tab.DECISIONS)
        trail = services().decisions.trail(screen_id)
        analyses = services().submissions.analyses(screen_id)
        usable = [analysis.version for analysis in analyses if analysis.state is AnalysisState.DONE]
        return render_page(
            "decisions.html",
            base=framed.frame.base,
            frame=framed.frame,
            session=session_of_request(request),
            trail=trail,
            newest=tuple(reversed(trail.decisions))[:_NEWEST],
            reasons={item: _reason(item, trail.decisions) for item in trail.excluded},
            # A decision may lead to an analysis that fails, for instance because too few controls have cells.
            failure=next((a for a in analyses[-1:] if a.state is AnalysisState.FAILED), None),
            before={number: max((v for v in usable if v < number), default=None) for number in usable},
            levels=tuple(ExclusionLevel),
            verdicts=tuple(Verdict),
            curves=framed.analysis.curves,
            filled=query.model_dump(exclude={"version"}),
        )

    @routes.post("/screens/{screen_id}/decisions")
    async def decide(request: Request, screen_id: str) -> Response:
        form = await read_form(request)
        decision = await run_in_threadpool(services().decisions.decide, screen_id, request_of(form))
        answer = see_other(f"{base_path(request)}/ui/screens/{quote(screen_id, safe='')}/decisions")
        session = session_of_request(request)
        if session is not None and session.author != decision.author:
            access = request.state.access
            set_session(request, answer, access, access.with_author(session, decision.author))
        return answer

    return routes


def request_of(form: Form) -> DecisionRequest:
    """Return the decision that a form states. Raises Invalid naming the field."""
    fields: dict[str, object] = {name: form.text(name) for name in ("kind", "reason", "author")}
    if form.text("kind") in ("assess", "withdraw"):
        curve = {name: form.optional(name) for name in ("compound", "cell_line", "verdict")}
        curve["ec50_um"] = form.number("ec50_um")
        if form.text("curve"):
            # One list of curves: the name of a compound may hold any separator, so both parts are lengths and texts.
            length, _, names = form.text("curve").partition(":")
            size = int(length) if length.isdecimal() and len(length) <= _MAX_DIGITS else 0
            curve |= {"compound": names[:size], "cell_line": names[size:]}
        fields["curve"] = {name: value for name, value in curve.items() if value is not None}
    else:
        fields["items"] = [_item(form)]
    version = form.optional("version")
    try:
        return DecisionRequest.model_validate(fields | ({"version": version} if version else {}))
    except ValidationError as error:
        problems = [
            Problem(each["msg"].removeprefix("Value error, "), field=".".join(map(str, each["loc"])) or None)
            for each in error.errors()
        ]
        raise_if(problems, Invalid, "the decision cannot be stored")
        raise


def _item(form: Form) -> dict[str, object]:
    item = {name: form.optional(name) for name in _TEXTS} | {"concentration_um": form.number("concentration_um")}
    level = form.text("level")
    # A form shows the fields of all levels; those that do not belong to the chosen one are passed over.
    names = {
        "plate": ("plate",),
        "well": ("plate", "well"),
        "site": ("plate", "well", "site"),
        "point": ("plate", "well"),
        "dose": ("compound", "concentration_um", "cell_line"),
    }.get(level, ())
    return {"level": level, **{name: item[name] for name in names if item[name] is not None}}


def _reason(item: ExcludedItem, decisions: Sequence[Decision]) -> Decision | None:
    """Return the newest decision about a thing."""
    return next((decision for decision in reversed(decisions) if item in decision.items), None)
