"""Figures as one picture, such as the curves of a compound: one panel per figure, one below the other."""

from __future__ import annotations

import io
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from gandl_shared.errors import Invalid
from gandl_shared.schemas.curve import Curve
from matplotlib.figure import Figure
from PIL import Image

from gandl_analysis.figures.dose_response import dose_response_figure
from gandl_analysis.figures.svg import parse_svg, scope_ids, serialise, to_png, to_svg

MAX_PANELS = 40
"""The most curves of one picture."""


def curves_svg(curves: Sequence[Curve]) -> str:
    """Return an SVG document. Raises Invalid for more than MAX_PANELS curves."""
    _check_count(curves)
    return figures_svg([dose_response_figure(curve) for curve in curves])


def curves_png(curves: Sequence[Curve]) -> bytes:
    """Return a PNG. Raises Invalid for more than MAX_PANELS curves."""
    _check_count(curves)
    return figures_png([dose_response_figure(curve) for curve in curves])


def figures_svg(figures: Sequence[Figure]) -> str:
    """Return an SVG document with one figure below the other. Raises Invalid for more than MAX_PANELS figures."""
    _check_count(figures)
    documents = [to_svg(figure) for figure in figures]
    return documents[0] if len(documents) == 1 else serialise(_stack([parse_svg(text) for text in documents])) + "\n"


def figures_png(figures: Sequence[Figure]) -> bytes:
    """Return a PNG with one figure below the other. Raises Invalid for more than MAX_PANELS figures."""
    _check_count(figures)
    panels = [_panel(figure) for figure in figures]
    picture = Image.new("RGB", (max(p.width for p in panels), sum(p.height for p in panels)), "white")
    top = 0
    for panel in panels:
        # Figures have no background, so that the alpha of a panel is its own mask.
        picture.paste(panel, (0, top), panel)
        top += panel.height
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def _panel(figure: Figure) -> Image.Image:
    return Image.open(io.BytesIO(to_png(figure))).convert("RGBA")


def _stack(panels: Sequence[Element]) -> Element:
    """One document with the panels below each other."""
    widths, heights = ([_points(panel, side) for panel in panels] for side in ("width", "height"))
    width, height = max(widths), sum(heights)
    size = {"width": f"{width:g}pt", "height": f"{height:g}pt", "viewBox": f"0 0 {width:g} {height:g}"}
    namespaces = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}
    picture = Element("svg", {**namespaces, **size, "version": "1.1"})
    for number, panel in enumerate(panels):
        scope_ids(panel, f"curve-{number}")
        # The outer viewBox counts in points, so that the sizes of an inner panel lose their unit.
        panel.attrib |= {"width": f"{widths[number]:g}", "height": f"{heights[number]:g}"}
        SubElement(picture, "g", transform=f"translate(0 {sum(heights[:number]):g})").append(panel)
    return picture


def _points(panel: Element, side: str) -> float:
    return float(panel.attrib[side].removesuffix("pt"))


def _check_count(panels: Sequence[object]) -> None:
    if len(panels) > MAX_PANELS:
        detail = f"{len(panels)} curves are too many for one picture, which holds at most {MAX_PANELS}"
        raise Invalid(f"{detail}; choose fewer with screen and cell_line, or ask for JSON or CSV")
