"""What can be done with a screen: cancel, retry, analyse again, delete."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.schemas.analysis import PAPER, AnalysisParameters
from gandl_shared.schemas.states import AnalysisState
from gandl_shared.web.requests.access import session_of_request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from gandl_analysis.api.provider import Provider
from gandl_analysis.pages.forms.form import Form, read_form, see_other
from gandl_analysis.pages.frame.answers import base_path, html_answer, page_router, render_page
from gandl_analysis.pages.frame.progress import progress_text

CHOICES = ("preset", "whitening", "normalisation")
NUMBERS = ("alpha", "seed", "regularisation")


def router(services: Provider) -> APIRouter:
    """Return the routes of the actions."""
    routes = page_router()

    @routes.post("/screens/{screen_id}/cancel")
    async def cancel(request: Request, screen_id: str) -> Response:
        await read_form(request)
        await run_in_threadpool(services().submissions.cancel, screen_id)
        return see_other(_address(request, screen_id))

    @routes.post("/screens/{screen_id}/retry")
    async def retry(request: Request, screen_id: str) -> Response:
        await read_form(request)
        await run_in_threadpool(services().submissions.retry, screen_id)
        return see_other(_address(request, screen_id))

    @routes.get("/screens/{screen_id}/parked")
    def show_parked(request: Request, screen_id: str) -> Response:
        """The sites without vectors, with the reasons and the button that tries them again."""
        status, session = services().submissions.status(screen_id), session_of_request(request)
        return html_answer(progress_text(status, base_path(request), session))

    @routes.get("/screens/{screen_id}/delete")
    def confirm(request: Request, screen_id: str) -> Response:
        """What will be gone, before it is."""
        status, session = services().submissions.status(screen_id), session_of_request(request)
        versions = len(services().submissions.analyses(screen_id))
        return render_page("delete.html", base=base_path(request), status=status, session=session, versions=versions)

    @routes.post("/screens/{screen_id}/delete")
    async def delete(request: Request, screen_id: str) -> Response:
        form = await read_form(request)
        status = await run_in_threadpool(services().submissions.status, screen_id)
        if form.text("name") != status.name:
            problem = Problem(f"'{form.text('name')}' is not the name of the screen, '{status.name}'", field="name")
            raise_if([problem], Invalid, "nothing was deleted")
        await run_in_threadpool(services().submissions.delete, screen_id)
        return see_other(f"{base_path(request)}/ui/")

    @routes.get("/screens/{screen_id}/analyses")
    def show_analyses(request: Request, screen_id: str) -> Response:
        """All versions of the analysis of a screen with what decided them, and the form of a further one."""
        versions = services().submissions.analyses(screen_id)
        parameters = versions[-1].parameters if versions else AnalysisParameters()
        return render_page(
            "analyses.html",
            base=base_path(request),
            session=session_of_request(request),
            status=services().submissions.status(screen_id),
            versions=[(version, _differences(version.parameters)) for version in reversed(versions)],
            parameters=parameters,
            options={name: _options(name) for name in CHOICES},
            done=AnalysisState.DONE,
        )

    @routes.post("/screens/{screen_id}/analyses")
    async def analyse(request: Request, screen_id: str) -> Response:
        parameters = parameters_of(await read_form(request))
        await run_in_threadpool(services().submissions.analyse, screen_id, parameters)
        return see_other(f"{_address(request, screen_id)}/analyses")

    return routes


def parameters_of(form: Form) -> AnalysisParameters:
    """Return the parameters that a form states; what it leaves empty has the default. Raises Invalid by field."""
    # The preset fixes these, whatever the other fields of the form show.
    fixed = PAPER if form.text("preset") == "paper" else {}
    values = {**{name: form.text(name) for name in CHOICES}, **{name: form.number(name) for name in NUMBERS}}
    fields = {name: value for name, value in values.items() if value and name not in fixed}
    flags = {name: True for name in ("vehicle", "retrieval") if form.text(name)}
    curves = {name: form.text(name) for name in ("bottom", "top", "slope") if form.text(name)}
    try:
        return AnalysisParameters.model_validate({**fields, **flags, "curves": curves})
    except ValidationError as error:
        problems = [
            Problem(each["msg"], field=".".join(str(part) for part in each["loc"]) or None) for each in error.errors()
        ]
        raise_if(problems, Invalid, "the screen cannot be analysed so")
        raise


def _options(name: str) -> list[str]:
    values = AnalysisParameters.model_json_schema()["properties"][name]["enum"]
    return [str(value) for value in values]


def _differences(parameters: AnalysisParameters) -> list[str]:
    """Return what differs from the defaults, as texts; exclusions are counted."""
    usual = AnalysisParameters().model_dump(mode="json")
    texts = [
        f"{name} {value}"
        for name, value in parameters.model_dump(mode="json").items()
        if name != "exclusions" and value != usual[name]
    ]
    count = len(parameters.exclusions or ())
    return [*texts, *([f"{count} excluded"] if count else [])]


def _address(request: Request, screen_id: str) -> str:
    return f"{base_path(request)}/ui/screens/{quote(screen_id, safe='')}"
