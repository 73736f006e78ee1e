"""Several curves in one picture: below each other, with ids of their own, and no more than fit."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from xml.etree import ElementTree

import pytest
from gandl_analysis.figures.dose_response import dose_response_figure
from gandl_analysis.figures.montage import MAX_PANELS, curves_png, curves_svg
from gandl_analysis.figures.svg import to_svg
from gandl_shared.errors import Invalid
from gandl_shared.schemas.curve import Curve
from PIL import Image

from tests.analysis.example.screen import example_analysis
from tests.analysis.figures.example_wells import SVG

CURVES = example_analysis().curves


def test_one_curve_is_its_own_document() -> None:
    assert curves_svg(CURVES[:1]) == to_svg(dose_response_figure(CURVES[0]))


def test_panels_are_below_each_other_at_their_size() -> None:
    root = ElementTree.fromstring(curves_svg(CURVES[:3]))
    panel = ElementTree.fromstring(curves_svg(CURVES[:1]))
    height = float(panel.attrib["height"].removesuffix("pt"))
    assert root.attrib["height"] == f"{3 * height:g}pt"
    assert [group.attrib["transform"] for group in root.findall(f"{SVG}g")] == [
        f"translate(0 {k * height:g})" for k in range(3)
    ]
    assert [group[0].attrib["viewBox"] for group in root.findall(f"{SVG}g")] == [panel.attrib["viewBox"]] * 3


def test_ids_of_panels_do_not_collide() -> None:
    svg = curves_svg(CURVES[:2])
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= set(ids)


def test_a_png_stacks_its_panels() -> None:
    one, two = (Image.open(io.BytesIO(curves_png(CURVES[:n]))) for n in (1, 2))
    assert two.size == (one.width, 2 * one.height)


@pytest.mark.parametrize("draw", [curves_svg, curves_png])
def test_too_many_curves_are_refused_before_any_is_drawn(draw: Callable[[Sequence[Curve]], object]) -> None:
    with pytest.raises(Invalid, match=f"{MAX_PANELS + 1} curves are too many"):
        draw([CURVES[0]] * (MAX_PANELS + 1))
