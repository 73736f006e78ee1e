"""The curves of a compound as one picture: a panel a curve, one below the other."""

from __future__ import annotations

import io
from collections.abc import Sequence

from gandl_shared.errors import Invalid
from gandl_shared.schemas.curve import Curve
from PIL import Image

from gandl_analysis.figures.dose_response import dose_response_figure
from gandl_analysis.figures.svg import to_png, to_svg

MOST = 40
"""Panels of one picture."""

_POINTS_AN_INCH = 72


def curves_svg(curves: Sequence[Curve]) -> str:
    """An SVG document. Raises Invalid for more than MOST curves."""
    figures = [dose_response_figure(curve) for curve in _few(curves)]
    panels = [to_svg(figure) for figure in figures]
    if len(panels) == 1:
        return panels[0]
    sizes = [figure.get_size_inches() * _POINTS_AN_INCH for figure in figures]
    width, height, parts = max(float(w) for w, _ in sizes), 0.0, []
    for panel, (_, panel_height) in zip(panels, sizes, strict=True):
        parts.append(f'<g transform="translate(0 {height:g})">{_element(panel)}</g>')
        height += float(panel_height)
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    size = f'width="{width:g}pt" height="{height:g}pt" viewBox="0 0 {width:g} {height:g}"'
    return f'<svg {namespaces} {size} version="1.1">' + "".join(parts) + "</svg>\n"


def curves_png(curves: Sequence[Curve]) -> bytes:
    """A PNG. Raises Invalid for more than MOST curves."""
    panels = [_panel(curve) for curve in _few(curves)]
    whole = Image.new("RGB", (max(p.width for p in panels), sum(p.height for p in panels)), "white")
    top = 0
    for panel in panels:
        whole.paste(panel, (0, top), panel)  # its own alpha as the mask: figures have no background
        top += panel.height
    buffer = io.BytesIO()
    whole.save(buffer, format="PNG")
    return buffer.getvalue()


def _panel(curve: Curve) -> Image.Image:
    return Image.open(io.BytesIO(to_png(dose_response_figure(curve)))).convert("RGBA")


def _element(document: str) -> str:
    """A document as an element of another. Equal ids in two panels name equal things, because matplotlib makes them
    from a hash of what they stand for. Width and height in pt become plain numbers, the outer viewBox being in pt."""
    element = document[document.index("<svg") :]
    end = element.index(">")
    return element[:end].replace('pt"', '"') + element[end:]


def _few(curves: Sequence[Curve]) -> Sequence[Curve]:
    if len(curves) > MOST:
        detail = f"{len(curves)} curves are too many for one picture ({MOST})"
        raise Invalid(f"{detail}; choose with screen and cell_line, or ask for JSON or CSV")
    return curves
