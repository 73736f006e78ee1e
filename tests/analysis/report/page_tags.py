"""The elements and the text of a page."""

from __future__ import annotations

from html.parser import HTMLParser

from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.render import render_report


class PageTags(HTMLParser):
    """The elements of a page with their attributes, and its text on one line."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._text = ""
        self.feed(html)

    @property
    def text(self) -> str:
        """All text, with single blanks."""
        return " ".join(self._text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Remember a text."""
        self._text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a kind."""
        return [attrs for name, attrs in self.elements if name == tag]


def report_text(analysis: ScreenAnalysis) -> str:
    """Return the text of the report of an analysis."""
    return PageTags(render_report(analysis)).text
