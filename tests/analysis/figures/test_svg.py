"""Figures as SVG: the same bytes for the same figure, safe on a page, and loud where a figure is not as expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from gandl_analysis.figures.controls import control_distributions
from gandl_analysis.figures.e2_plane import e2_plane
from gandl_analysis.figures.plate import plate_heatmap
from gandl_analysis.figures.style import VARIABLES, new_figure
from gandl_analysis.figures.svg import Drawing, inline_svg, parse_svg, scope_ids, serialise, to_png, to_svg
from gandl_shared.schemas.vocabulary import Role

from tests.analysis.example.screen import example_analysis
from tests.analysis.figures.example_wells import titles, well

WELLS = example_analysis().wells


@pytest.mark.parametrize(
    "draw",
    [
        lambda: e2_plane(WELLS, "HRCE"),
        lambda: plate_heatmap(WELLS, "HRCE-1"),
        lambda: control_distributions(WELLS, "HRCE"),
    ],
)
def test_equal_wells_give_equal_bytes(draw: Callable[[], Drawing]) -> None:
    assert to_svg(draw().figure) == to_svg(draw().figure)
    assert to_png(draw().figure, dpi=40) == to_png(draw().figure, dpi=40)


def test_text_stays_text_and_there_is_no_date() -> None:
    figure = new_figure(3, 2)
    figure.add_subplot().set_xlabel("concentration")
    assert ">concentration</text>" in to_svg(figure)
    assert "dc:date" not in to_svg(figure)


def test_user_text_cannot_leave_the_figure() -> None:
    evil = "<script>alert(1)</script>\"'&]]> $x_1$"
    drawing = plate_heatmap([well("A01", compound=evil), well("A02", role=Role.POSITIVE)], "P")
    svg = Drawing(drawing.figure, f"of {evil}", drawing.tips).inline("f")
    assert "<script" not in svg
    assert any(evil in title for title in titles(svg))
    assert ElementTree.fromstring(svg).attrib["aria-label"] == f"of {evil}"


def test_ids_are_unique_on_a_page_and_each_reference_has_its_target() -> None:
    page = "".join(plate_heatmap(WELLS, "HRCE-1").inline(name) for name in ("one", "two"))
    ids = re.findall(r' id="([^"]+)"', page)
    assert ids
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) == set(ids)


def test_colours_and_fonts_are_those_of_the_page() -> None:
    svg = plate_heatmap(WELLS, "HRCE-1").inline("f")
    assert not [colour for colour in VARIABLES if colour in svg]
    assert "fill: var(--muted)" in svg
    assert "font-family" not in svg


@pytest.mark.parametrize("text", ["0.123456 µM", "#0072b2", "font-size 12.3456px", "url(#a)"])
def test_only_geometry_and_paint_change_and_never_a_text(text: str) -> None:
    figure = new_figure(3, 2)
    figure.add_subplot().set_xlabel(text)
    assert f">{text}</text>" in inline_svg(to_svg(figure), name="f", label="")


def test_coordinates_have_two_decimals() -> None:
    svg = inline_svg(to_svg(e2_plane(WELLS, "HRCE").figure), name="f", label="")
    assert not re.search(r' (?:x|y|d|transform)="[^"]*\d\.\d{3}', svg)


@pytest.mark.parametrize("tips", [("a", "b"), ()])
def test_titles_that_do_not_fit_the_marks_are_an_error(tips: tuple[str, ...]) -> None:
    svg = to_svg(e2_plane([well("A01")], "U2OS").figure)
    with pytest.raises(ValueError, match=rf"'wells-treatment' of the figure has 1 marks for {len(tips)} titles"):
        inline_svg(svg, name="f", label="", tips={"wells-treatment": tips})


def test_titles_of_a_group_that_is_not_there_are_an_error() -> None:
    svg = to_svg(new_figure(3, 2))
    with pytest.raises(ValueError, match="0 groups 'wells-treatment'"):
        inline_svg(svg, name="f", label="", tips={"wells-treatment": ("a",)})


@pytest.mark.parametrize(
    ("text", "message"), [("<svg", "not XML"), ("<html/>", "not SVG"), ("<svg xmlns='http://example'/>", "not SVG")]
)
def test_what_is_no_figure_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_svg(text)


def test_a_figure_without_a_size_is_refused() -> None:
    with pytest.raises(ValueError, match="no size in points"):
        inline_svg('<svg xmlns="http://www.w3.org/2000/svg"/>', name="f", label="")


def test_ids_without_a_reference_are_dropped() -> None:
    root = parse_svg(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<path id="a"/><path id="b"/><use xlink:href="#a" clip-path="url(#c)"/><image xlink:href="data:x"/></svg>'
    )
    scope_ids(root, "f")
    svg = serialise(root)
    assert ' id="f-a"' in svg and 'xlink:href="#f-a"' in svg and "url(#f-c)" in svg and 'xlink:href="data:x"' in svg
    assert ' id="b"' not in svg


def test_a_mark_with_an_address_is_a_link_that_a_finger_can_touch() -> None:
    figure = new_figure(2, 2)
    figure.add_subplot().plot([1, 2], [1, 2], linestyle="none", marker="o", gid="wells")
    drawing = Drawing(figure, "two wells", {"wells": ["first & more", "second"]}, {"wells": ["/a?b&c", "/d"]})
    root = ElementTree.fromstring(drawing.inline("p"))
    links = [element for element in root.iter() if element.tag.endswith("}a")]
    assert [(link.get("href"), link.get("aria-label")) for link in links] == [
        ("/a?b&c", "first & more"),
        ("/d", "second"),
    ]
    for link in links:
        circle, mark = list(link)
        assert (circle.get("cx"), circle.get("cy")) == (mark.get("x"), mark.get("y"))
    # The parts of an image are hidden from screen readers.
    assert root.get("role") == "group"
    with pytest.raises(ValueError, match="2 marks for 1 titles"):
        Drawing(figure, "", {}, {"wells": ["/a"]}).inline("p")
