"""The Jinja environment of the pages: that of the report, with the templates and files that only pages have."""

from __future__ import annotations

from contextvars import ContextVar
from functools import lru_cache

from gandl_shared.web.requests.access import Access
from jinja2 import ChoiceLoader, Environment, PackageLoader
from starlette.requests import Request

from gandl_analysis.pages.frame.static_files import address_of
from gandl_analysis.report.environment import environment as report_environment

PAGE_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; script-src 'self'; "
    "connect-src 'self'; worker-src 'self' blob:; form-action 'self'; base-uri 'none'"
)
"""What a page may load: from the server of the page only. Its scripts are files, because inline ones are refused."""


PAGE_REQUEST: ContextVar[Request | None] = ContextVar("PAGE_REQUEST", default=None)
"""The request that a page answers. Every page has the way to sign out in its bar, whoever renders it."""


def needs_key() -> bool:
    """Return whether a page is shown to somebody who has signed in with a key of the service."""
    request = PAGE_REQUEST.get()
    access: Access | None = None if request is None else getattr(request.state, "access", None)
    return access is not None and not access.is_open


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the environment of the pages. A page may include any template of the report, and never the reverse."""
    own = PackageLoader("gandl_analysis.pages")
    report = report_environment()
    pages = report.overlay(loader=ChoiceLoader([own, report.loader] if report.loader else [own]))
    # The globals of an overlay are those of its origin, and a report must not learn the addresses of a server.
    pages.globals = {**report.globals, "static": address_of, "page_policy": PAGE_POLICY, "needs_key": needs_key}
    return pages


@lru_cache(maxsize=1)
def compile_templates() -> None:
    """Compile all templates, which takes longer than any page; the first reader of a process need not wait for it."""
    pages = environment()
    for name in pages.list_templates(extensions=["html"]):
        pages.get_template(name)
