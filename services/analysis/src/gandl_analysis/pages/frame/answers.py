"""Answers as HTML: a rendered template with security headers, and the errors of our tree as pages."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from gandl_shared.errors import GandlError, Invalid, Problem, Unauthorized, raise_if
from gandl_shared.web.requests.access import session_of_request, set_session
from pydantic import BaseModel

from gandl_analysis.pages.frame.environment import PAGE_REQUEST, environment
from gandl_analysis.pages.frame.problems import grouped
from gandl_analysis.pages.frame.progress import NoAnalysisYet, progress_text

_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"}
_MIN_COMPRESSED_BYTES = 2000


class PageRoute(APIRoute):
    """A route whose errors are pages instead of JSON, whose HTML travels compressed, and that refuses parameters in
    the address that it does not take. A screen without a result shows its progress at every address."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route with errors caught. (`Any` is starlette's type of a coroutine.)"""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            PAGE_REQUEST.set(request)
            # Only errors of our tree have a text for users; all others become the 500 of the application.
            try:
                self._refuse_unknown_parameters(request)
                answer = await handler(request)
            except NoAnalysisYet as error:
                # The page reloads itself when the screen has ended, and then shows what was asked for.
                answer = html_answer(progress_text(error.screen, base_path(request), session_of_request(request)))
            except Unauthorized as error:
                answer = _sign_in(request, error)
            except GandlError as error:
                answer = _error_page(request, error)
            new_session = getattr(request.state, "new_session", None)
            if new_session is not None:
                set_session(request, answer, request.state.access, new_session)
            return _compressed(request, answer)

        return handle

    def _refuse_unknown_parameters(self, request: Request) -> None:
        """Raise Invalid for a misspelt parameter, which would otherwise show something else than was asked for."""
        names: list[str] = []
        for field in self.dependant.query_params:
            kind = field.field_info.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                names += list(kind.model_fields)
            else:
                names.append(field.alias)
        detail = f"unknown parameter; this page takes {', '.join(names) or 'none'}"
        problems = [Problem(detail, field=name) for name in request.query_params if name not in names]
        raise_if(problems, Invalid, "the address of this page has a parameter that the page does not take")


def page_router() -> APIRouter:
    """Return an empty router of pages under /ui. They answer HTML for errors too, and are no part of the
    specification."""
    return APIRouter(prefix="/ui", include_in_schema=False, route_class=PageRoute)


def render_page(template: str, *, status_code: int = 200, **context: object) -> HTMLResponse:
    """Return a template of the pages as an answer."""
    return html_answer(environment().get_template(template).render(context), status_code)


def html_answer(text: str, status_code: int = 200) -> HTMLResponse:
    """Return HTML as an answer that no other site can frame and that tells no other site where the reader came from."""
    return HTMLResponse(text, status_code, headers=_HEADERS)


def base_path(request: Request) -> str:
    """Return the path at which the application is mounted, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _error_page(request: Request, error: GandlError) -> Response:
    problems = grouped(error.problems)
    # The message repeats the first problems, which are listed below it.
    summary = error.detail.partition(": ")[0] if problems else error.detail
    context = {"base": base_path(request), "error": error, "summary": summary, "problems": problems}
    context |= {"is_action": request.method == "POST", "back": _page_of_form(request)}
    context["entries"] = {name: text for name, text in getattr(request.state, "entries", {}).items() if text.strip()}
    return html_answer(environment().get_template("error.html").render(context), error.status)


def _page_of_form(request: Request) -> str | None:
    """Return the address below this host of the page whose form was sent, or None where it is unknown."""
    page = urlsplit(request.headers.get("referer", ""))
    if request.method != "POST" or not page.path.startswith(f"{base_path(request)}/ui/"):
        return None
    return page.path + (f"?{page.query}" if page.query else "")


def _sign_in(request: Request, error: Unauthorized) -> Response:
    """Return the way to the page that takes the key, and from there back to this page."""
    if request.method not in ("GET", "HEAD"):
        return _error_page(request, error)
    base, query = base_path(request), f"?{request.url.query}" if request.url.query else ""
    # The decoded path would lose the difference between a slash in a name and one between names.
    path = request.scope.get("raw_path", b"").decode("ascii", "ignore")
    target = quote(f"{path if path.startswith(base) else base + path}{query}", safe="")
    return RedirectResponse(f"{base}/ui/sign-in?next={target}", status_code=303)


def _compressed(request: Request, answer: Response) -> Response:
    # A report of 384 wells is 3 MB of SVG and a fifth of that compressed. Vectors of other routes do not shrink.
    if not isinstance(answer, HTMLResponse) or len(answer.body) < _MIN_COMPRESSED_BYTES:
        return answer
    answer.headers["Vary"] = "Accept-Encoding"
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return answer
    answer.body = gzip.compress(bytes(answer.body), compresslevel=4)
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Content-Length"] = str(len(answer.body))
    return answer
