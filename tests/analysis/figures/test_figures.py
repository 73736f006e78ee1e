"""Figures: deterministic, with every well told, safe to put into a page, in the geometry of the plate."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from gandl_analysis.figures.controls import control_distributions
from gandl_analysis.figures.plate import place_of, plate_format, plate_heatmap, row_letters
from gandl_analysis.figures.scatter import e2_scatter
from gandl_analysis.figures.style import VARIABLES, contrasting, efficacy_colour, new_figure, plain
from gandl_analysis.figures.svg import Drawing, inline_svg, to_png, to_svg
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.schemas.screen import WellScore

from tests.analysis.example import example_analysis

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def analysis() -> ScreenAnalysis:
    return example_analysis()


def well(name: str, efficacy: float | None = 0.5, *, role: str = "treatment", compound: str = "X") -> WellScore:
    return WellScore(
        plate="P", well=name, role=role, compound=compound, concentration_um=1.0, cell_line="U2OS",
        on=efficacy, off=0.0 if efficacy is not None else None, efficacy=efficacy, n_tiles=4,
    )  # fmt: skip


def titles(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def test_same_wells_give_the_same_bytes(analysis: ScreenAnalysis) -> None:
    for draw in (
        lambda: e2_scatter(analysis.wells, "HRCE"),
        lambda: plate_heatmap(analysis.wells, "HRCE-1"),
        lambda: control_distributions(analysis.wells, "HRCE"),
    ):
        assert to_svg(draw().figure) == to_svg(draw().figure)
        assert to_png(draw().figure, dpi=40) == to_png(draw().figure, dpi=40)


def test_svg_keeps_text_as_text() -> None:
    figure = new_figure(3, 2)
    figure.add_subplot().set_xlabel("concentration")
    assert ">concentration</text>" in to_svg(figure)


@pytest.mark.parametrize("kind", ["scatter", "plate"])
def test_each_well_is_told_once(analysis: ScreenAnalysis, kind: str) -> None:
    if kind == "scatter":
        drawing = e2_scatter(analysis.wells, "HRCE")
        expected = [w for w in analysis.wells if w.cell_line == "HRCE" and w.on is not None]
    else:
        drawing = plate_heatmap(analysis.wells, "HRCE-1")
        expected = [w for w in analysis.wells if w.plate == "HRCE-1" and w.role != "empty"]
    told = titles(drawing.inline("f"))
    assert len(told) == len(expected)
    assert {" ".join(t.split(":")[0].split()) for t in told} == {f"{w.plate} {w.well}" for w in expected}


def test_a_title_sits_on_the_mark_of_its_well() -> None:
    """The marks of a scatter are placed by `on`; titles in the same order must rise with x."""
    wells = [well(f"A{k:02d}", efficacy=value) for k, value in enumerate([0.9, -0.4, 0.1], start=1)]
    root = ElementTree.fromstring(e2_scatter(wells, "U2OS").inline("f"))
    marks = {t.text: float(use.attrib["x"]) for use in root.iter(f"{SVG}use") for t in use.findall(f"{SVG}title")}
    by_place = [text.split(":")[0] for text, _ in sorted(marks.items(), key=lambda item: item[1]) if text]
    assert by_place == ["P A02", "P A03", "P A01"]


def test_a_well_without_a_score_is_crossed_not_coloured() -> None:
    drawing = plate_heatmap([well("A01"), well("B02", None)], "P")
    assert "1 scored, 1 without a score" in drawing.label
    assert titles(drawing.inline("f"))[1].endswith("no score")


def test_user_text_cannot_leave_the_figure() -> None:
    evil = "<script>alert(1)</script>\"'&]]> $x_1$"
    drawing = plate_heatmap([well("A01", compound=evil), well("A02", role="positive_control")], "P")
    svg = Drawing(drawing.figure, f"of {evil}", drawing.tips).inline("f")
    assert "<script" not in svg
    assert any(evil in title for title in titles(svg))
    assert ElementTree.fromstring(svg).attrib["aria-label"] == f"of {evil}"


def test_a_dollar_is_a_dollar() -> None:
    figure = new_figure(3, 2)
    figure.add_subplot().set_xlabel(plain("5$ or $6^2$ <i>"))
    assert "5$ or $6^2$ &lt;i&gt;" in to_svg(figure)


def test_long_and_broken_text_is_cut() -> None:
    assert plain("a\nb\tc") == "a b c"
    assert plain("x" * 200, limit=10) == "x" * 9 + "…"


def test_ids_are_unique_on_a_page_and_colours_are_the_pages(analysis: ScreenAnalysis) -> None:
    one, two = (plate_heatmap(analysis.wells, "HRCE-1").inline(name) for name in ("one", "two"))
    ids = re.findall(r' id="([^"]+)"', one + two)
    assert ids
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', one)) <= set(ids)
    assert not [colour for colour in VARIABLES if colour in one]


@pytest.mark.parametrize("text", ["0.123456 µM", "#0072b2", "font-size 12.3456px"])
def test_inlining_keeps_what_is_written(text: str) -> None:
    """Only coordinates are shortened and only paint becomes a variable."""
    figure = new_figure(3, 2)
    figure.add_subplot().set_xlabel(text)
    assert f">{text}</text>" in inline_svg(to_svg(figure), name="f", label="")


def test_more_titles_than_marks_is_an_error() -> None:
    drawing = e2_scatter([well("A01")], "U2OS")
    with pytest.raises(ValueError, match="wells-treatment"):
        inline_svg(to_svg(drawing.figure), name="f", label="", tips={"wells-treatment": ("a", "b")})


@pytest.mark.parametrize(
    ("name", "place"), [("A01", (0, 0)), ("H12", (7, 11)), ("P24", (15, 23)), ("AA01", (26, 0)), ("AF48", (31, 47))]
)
def test_places(name: str, place: tuple[int, int]) -> None:
    assert place_of(name) == place
    assert row_letters(place[0]) == name.rstrip("0123456789")


@pytest.mark.parametrize(
    ("name", "shape"), [("H12", (8, 12)), ("I01", (16, 24)), ("A13", (16, 24)), ("AF48", (32, 48))]
)
def test_the_smallest_plate_that_fits(name: str, shape: tuple[int, int]) -> None:
    assert plate_format([well("A01"), well(name)]) == shape


def test_a_384_well_plate_has_its_labels() -> None:
    svg = plate_heatmap([well("A01"), well("P24")], "P").inline("f")
    assert all(f">{label}</text>" in svg for label in ("A", "P", "1", "24"))


def test_colours_of_efficacy_turn_at_zero_and_marks_stay_readable() -> None:
    low, middle, high = (efficacy_colour(e) for e in (-1.0, 0.0, 1.0))
    assert efficacy_colour(-7.0) == low
    assert efficacy_colour(9.0) == high
    assert int(low[1:3], 16) > int(low[5:7], 16)
    assert int(high[1:3], 16) < int(high[5:7], 16)
    assert contrasting(middle) == "#101418"
    assert contrasting(high) == "#ffffff"


def test_controls_of_one_well_a_plate_are_drawn() -> None:
    wells = [well("A01", -1.0, role="negative_control"), well("A02", 1.0, role="positive_control")]
    assert len(titles(control_distributions(wells, "U2OS").inline("f"))) == 2
