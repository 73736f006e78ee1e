"""Elements of SVG as text. Every value from outside is escaped here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from gandl_analysis.figures.texts import xml_text


def element(tag: str, *children: str, text: str | None = None, title: str | None = None, **attributes: object) -> str:
    """Return an element. `children` are elements; `text` and `title` are texts, which are escaped as attributes are.

    An attribute is named with `_` for `-`, and with `_` at its end where Python has a word of that name. One that is
    None is left out.
    """
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join((_title(title), "" if text is None else escape(xml_text(text), quote=False), *children))
    return f"<{tag}{named}>{inside}</{tag}>" if inside else f"<{tag}{named}/>"


def polyline(points: Iterable[tuple[float, float]], *, closed: bool = False) -> str:
    """Return the path through points (x, y)."""
    path = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
    return f"M{path}{'Z' if closed else ''}"


def _title(title: str | None) -> str:
    return "" if title is None else f"<title>{escape(xml_text(title), quote=False)}</title>"


def _value(value: object) -> str:
    return _number(value) if isinstance(value, float) else escape(xml_text(str(value)))


def _number(value: float) -> str:
    # Two decimals are finer than a pixel, and longer numbers would double the page.
    return f"{value:.2f}".rstrip("0").rstrip(".")
