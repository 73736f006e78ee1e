"""Figures as SVG: equal figures give equal bytes, text stays text, and a figure can become an element of a page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import matplotlib as mpl
from matplotlib.figure import Figure

from gandl_analysis.figures.style import VARIABLES

_RENDERING = Lock()
"""The options of SVG belong to matplotlib as a whole, so that two threads must not change them at once."""

_PIXELS_PER_POINT = 1.5
"""The largest scale of a figure on a page: a little more than that of CSS (4/3), so that labels are easy to read."""

_POINTER = re.compile(r"(^#|url\(#)([^)]+)")
_LONG_NUMBER = re.compile(r"(-?\d+\.\d\d)\d+")
_GEOMETRY = frozenset({"d", "x", "y", "cx", "cy", "width", "height", "transform", "viewBox"})
_MARKS = frozenset({"use", "path"})
_TOUCH_RADIUS = "7"
"""The radius of the disc around a mark that is a link, in points of the figure."""


@dataclass(frozen=True)
class Drawing:
    """A figure, what it shows in words, and the titles and addresses of its marks by the gid of their artist (see
    `inline_svg`)."""

    figure: Figure
    label: str
    tips: Mapping[str, Sequence[str]] = field(default_factory=dict)
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def inline(self, name: str) -> str:
        """The figure as an element of a page; `name` is unique on the page."""
        return inline_svg(to_svg(self.figure), name=name, label=self.label, tips=self.tips, links=self.links)


def to_svg(figure: Figure) -> str:
    """Return a stand-alone SVG document without a date, so that equal figures give equal text."""
    buffer = io.StringIO()
    # Text as text can be selected, searched and set in the font of the page; the salt makes the ids reproducible.
    with _RENDERING, mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "gandl"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "gandl"})
    return buffer.getvalue()


def to_png(figure: Figure, dpi: int = 150) -> bytes:
    """Return a PNG on white without the version of matplotlib, so that equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def inline_svg(
    svg: str,
    *,
    name: str,
    label: str,
    tips: Mapping[str, Sequence[str]] | None = None,
    links: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return an SVG document of matplotlib as an element of a page.

    `name` prefixes its ids (unique on the page), screen readers read `label`, and `tips` holds the titles of the marks
    of each artist with that gid, in drawing order. `links` holds their addresses in the same way: such a mark becomes a
    link that the keyboard reaches, with a disc around it that a finger can touch. The page decides the size and the
    font, and its CSS variables replace the named colours.

    Raises ValueError where the document is not as matplotlib writes it.
    """
    root = parse_svg(svg)
    # Titles come first, because their groups are found by ids that `scope_ids` drops.
    for gid, titles in (tips or {}).items():
        _add_titles(root, gid, titles)
    for gid, addresses in (links or {}).items():
        _add_links(root, gid, addresses)
    for element in root.iter():
        _adapt_to_page(element)
    scope_ids(root, name)
    _fit_to_page(root, label)
    if links:
        # The parts of an image are hidden from screen readers, and those of a group are not.
        root.set("role", "group")
    return serialise(root)


def parse_svg(svg: str) -> Element:
    """Parse an SVG document of matplotlib into a tree without metadata and blanks, its names as they are written in
    HTML (`xlink:href`). Raises ValueError for anything else."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(f"the figure is not XML: {error}") from error
    if root.tag != "{http://www.w3.org/2000/svg}svg":
        raise ValueError(f"the figure is not SVG but {root.tag}")
    for metadata in root.findall("{*}metadata"):
        root.remove(metadata)
    for element in root.iter():
        _use_plain_names(element)
        # Blanks between elements draw nothing and are a third of the document.
        element.tail = None
        if not (element.text or "").strip():
            element.text = None
    # The tags have no namespace any more, so that the declarations are ordinary attributes.
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("xmlns:xlink", "http://www.w3.org/1999/xlink")
    return root


def serialise(root: Element) -> str:
    """Return a tree of `parse_svg` as text."""
    return ElementTree.tostring(root, encoding="unicode")


def scope_ids(root: Element, name: str) -> None:
    """Prefix each id that something refers to with `name`, and drop the others."""
    used = {pointer[2] for element in root.iter() for pointer in _pointers(element)}
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key != "id":
                element.set(key, _POINTER.sub(rf"\g<1>{name}-\g<2>", value) if _is_pointer(key, value) else value)
            elif value in used:
                element.set("id", f"{name}-{value}")
            else:
                del element.attrib["id"]


def _pointers(element: Element) -> Iterator[re.Match[str]]:
    for key, value in element.attrib.items():
        if _is_pointer(key, value):
            yield from _POINTER.finditer(value)


def _is_pointer(key: str, value: str) -> bool:
    """True for an attribute that names another element: `xlink:href="#…"`, `clip-path="url(#…)"` and the like."""
    return (key == "xlink:href" and value.startswith("#")) or "url(#" in value


def _use_plain_names(element: Element) -> None:
    # A tree with namespaces would be written as `ns0:path`, which a browser does not draw inside HTML.
    element.tag = element.tag.rpartition("}")[2]
    for key in [key for key in element.attrib if key.startswith("{")]:
        element.set(f"xlink:{key.rpartition('}')[2]}", element.attrib.pop(key))


def _add_titles(root: Element, gid: str, titles: Sequence[str]) -> None:
    """Give the k-th mark of the artist `gid` the k-th title."""
    for (_, mark), title in zip(_marks_of(root, gid, len(titles)), titles, strict=True):
        ElementTree.SubElement(mark, "title").text = title


def _add_links(root: Element, gid: str, addresses: Sequence[str]) -> None:
    """Let the k-th mark of the artist `gid` lead to the k-th address."""
    for (parent, mark), address in zip(_marks_of(root, gid, len(addresses)), addresses, strict=True):
        position = list(parent).index(mark)
        link = Element("a", {"href": address, "class": "point"})
        # The title names the link; a browser shows it where the pointer is.
        title = mark.find("title")
        if title is not None:
            link.set("aria-label", title.text or "")
        touch = {"cx": mark.get("x", "0"), "cy": mark.get("y", "0"), "r": _TOUCH_RADIUS, "fill": "transparent"}
        ElementTree.SubElement(link, "circle", touch)
        parent.remove(mark)
        link.append(mark)
        parent.insert(position, link)


def _marks_of(root: Element, gid: str, count: int) -> list[tuple[Element, Element]]:
    """Return the marks of the artist `gid`, each with its parent. Raises ValueError unless there are `count`."""
    groups = [element for element in root.iter("g") if element.get("id") == gid]
    if len(groups) != 1:
        raise ValueError(f"the figure has {len(groups)} groups '{gid}', not one")
    marks = list(_marks(groups[0]))
    if len(marks) != count:
        raise ValueError(f"the group '{gid}' of the figure has {len(marks)} marks for {count} titles")
    return marks


def _marks(element: Element) -> Iterator[tuple[Element, Element]]:
    """The drawn shapes below an element with their parents, without the shapes that are only defined there."""
    for child in element:
        if child.tag in _MARKS:
            yield element, child
        elif child.tag != "defs":
            yield from _marks(child)


def _adapt_to_page(element: Element) -> None:
    """Shorten coordinates to two decimals, which halves the file, and leave colours and fonts to the page."""
    for key in _GEOMETRY & element.attrib.keys():
        # matplotlib breaks the lines of a path after every point.
        element.set(key, _LONG_NUMBER.sub(r"\1", " ".join(element.attrib[key].split())))
    if "style" in element.attrib:
        declarations = (item.partition(":") for item in element.attrib["style"].split(";"))
        style = {key.strip(): value.strip() for key, _, value in declarations}
        style.pop("font-family", None)
        for paint in ("fill", "stroke"):
            if style.get(paint) in VARIABLES:
                style[paint] = f"var({VARIABLES[style[paint]]})"
        element.set("style", "; ".join(f"{key}: {value}" for key, value in style.items()))


def _fit_to_page(root: Element, label: str) -> None:
    """Replace the size in points by a largest width, and say what the figure shows."""
    width, box = root.get("width", ""), root.get("viewBox")
    if box is None or not width.endswith("pt"):
        raise ValueError(f"the figure has no size in points: width '{width}', viewBox '{box}'")
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    # The width gives way to narrow screens, and the height follows from the viewBox.
    largest = float(width.removesuffix("pt")) * _PIXELS_PER_POINT
    root.attrib |= {"class": "figure", "style": f"max-width: {largest:.0f}px", "role": "img", "aria-label": label}
