"""The Jinja environment of the pages: that of the report, with the templates and files that only pages have."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import ChoiceLoader, Environment, PackageLoader

from gandl_analysis.pages.frame.static_files import address_of
from gandl_analysis.report.environment import environment as report_environment

PAGE_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; script-src 'self'; "
    "connect-src 'self'; worker-src 'self' blob:; form-action 'self'; base-uri 'none'"
)
"""What a page may load: from the server of the page only. Its scripts are files, because inline ones are refused."""


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the environment of the pages. A page may include any template of the report, and never the reverse."""
    own = PackageLoader("gandl_analysis.pages")
    report = report_environment()
    pages = report.overlay(loader=ChoiceLoader([own, report.loader] if report.loader else [own]))
    # The globals of an overlay are those of its origin, and a report must not learn the addresses of a server.
    pages.globals = {**report.globals, "static": address_of, "page_policy": PAGE_POLICY}
    return pages


@lru_cache(maxsize=1)
def compile_templates() -> None:
    """Compile all templates, which takes longer than any page; the first reader of a process need not wait for it."""
    pages = environment()
    for name in pages.list_templates(extensions=["html"]):
        pages.get_template(name)
