"""Figures as SVG text: the same bytes for the same figure, text kept as text, and the steps to put it into a page."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from threading import Lock

import matplotlib as mpl
from matplotlib.figure import Figure

from gandl_analysis.figures.style import VARIABLES

_RENDERING = Lock()
"""The options of SVG are matplotlib's, for the whole process; two threads may not change them at once."""

_FONT = re.compile(r"font: ?((?:\w+ )*)([\d.]+)px[^;\"]*")
_FAMILY = re.compile(r"font-family: ?[^;\"]*;? ?")
_PAINT = re.compile(r"((?:fill|stroke): )(#[0-9a-f]{6})")
_ID = re.compile(r' id="([^"]+)"')
_LONG_NUMBER = re.compile(r"(?<![#\w])(-?\d+\.\d\d)\d+")


@dataclass(frozen=True)
class Drawing:
    """A figure, what it shows in words, and the titles of its marks by group (see `inline_svg`)."""

    figure: Figure
    label: str
    tips: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def inline(self, name: str) -> str:
        """The figure as an element of a page; `name` is unique in the page."""
        return inline_svg(to_svg(self.figure), name=name, label=self.label, tips=self.tips)


def to_svg(figure: Figure) -> str:
    """A stand-alone SVG document of a figure, without a date, so that equal figures give equal text."""
    buffer = io.StringIO()
    with _RENDERING, mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "gandl"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "gandl"})
    return buffer.getvalue()


def to_png(figure: Figure, dpi: int = 150) -> bytes:
    """A PNG of a figure on white, without the program's version, so that equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def inline_svg(svg: str, *, name: str, label: str, tips: Mapping[str, Sequence[str]] | None = None) -> str:
    """An SVG document as an element of a page.

    `name` prefixes its ids (unique in the page), `label` is read by screen readers, `tips` gives the titles of the
    marks in the group with that gid, in the order they were drawn. Sizes give way to the page, colours become the
    page's variables, fonts the page's.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    for gid, titles in (tips or {}).items():
        body = _with_titles(body, gid, titles)
    body = _with_opening_tag(_unique_ids(_slim(body), name), label)
    return themed(body)


def themed(svg: str) -> str:
    """The figure's named colours, where they are colours and not text, as CSS variables of the page."""
    return _PAINT.sub(
        lambda found: found[1] + (f"var({VARIABLES[found[2]]})" if found[2] in VARIABLES else found[2]), svg
    )


def _slim(svg: str) -> str:
    """Two decimals of a pixel, no font list, no run of blanks: less than half the size, the same picture."""
    svg = _FONT.sub(lambda found: f"{_weight(found[1])}font-size: {float(found[2]):g}px", svg)
    svg = _FAMILY.sub("", svg)
    head, *texts = re.split(r"(<text[^>]*>[^<]*</text>|<title>[^<]*</title>)", svg)
    kept = [part if part.startswith(("<text", "<title")) else _LONG_NUMBER.sub(r"\1", part) for part in [head, *texts]]
    return re.sub(r">\s+<", "><", "".join(kept)).replace(" \n", " ").replace("\n", " ")


def _weight(words: str) -> str:
    return "font-weight: 600; " if "bold" in words or "700" in words else ""


def _unique_ids(svg: str, name: str) -> str:
    """Drop the ids nothing refers to, prefix the rest."""
    used = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", svg))
    svg = _ID.sub(lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    return re.sub(r"(href=\"#|url\(#)([^\")]+)", lambda found: f"{found[1]}{name}-{found[2]}", svg)


def _with_opening_tag(svg: str, label: str) -> str:
    end = svg.index(">") + 1
    box = re.search(r'viewBox="[^"]+"', svg[:end])
    width = re.search(r'width="([\d.]+)pt"', svg[:end])
    if box is None or width is None:
        raise ValueError("not an SVG document of matplotlib")
    parts = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="figure"',
        f'{box[0]} style="max-width: {float(width[1]) * 1.5:.0f}px" role="img" aria-label="{escape(label)}">',
    )
    return " ".join(parts) + svg[end:]


def _with_titles(svg: str, gid: str, titles: Sequence[str]) -> str:
    """Give the k-th mark (`use` or `path`) of the group `gid` the k-th title."""
    start = svg.index(f'<g id="{gid}">')
    end = _group_end(svg, start)
    rest = iter(titles)

    def titled(found: re.Match[str]) -> str:
        return f"<{found[1]}{found[2]}><title>{escape(next(rest))}</title></{found[1]}>"

    definitions, marks = _split_definitions(svg[start:end])
    marks = re.sub(r"<(use|path)((?:[^>\"]|\"[^\"]*\")*?)/>", titled, marks)
    if next(rest, None) is not None:
        raise ValueError(f"more titles than marks in the group {gid}")
    return svg[:start] + definitions + marks + svg[end:]


def _split_definitions(group: str) -> tuple[str, str]:
    at = group.rfind("</defs>")
    return ("", group) if at < 0 else (group[: at + 7], group[at + 7 :])


def _group_end(svg: str, start: int) -> int:
    """The place after the `</g>` that closes the group opened at `start`."""
    depth = 0
    for found in re.finditer(r"<g\b|</g>", svg[start:]):
        depth += 1 if found[0] != "</g>" else -1
        if depth == 0:
            return start + found.end()
    raise ValueError("an SVG group is not closed")
