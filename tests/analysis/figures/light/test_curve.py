"""Light drawings of curves: every well, dose and band is there, and no name becomes a tag."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import pytest
from gandl_analysis.figures.light.curve import curve_picture, overlay_picture, overlay_style
from gandl_shared.schemas.curve import Curve

from tests.analysis.example.screen import example_analysis

CURVES = example_analysis(["<b>X</b>"]).curves


def classes(svg: str) -> Counter[str]:
    return Counter(item.get("class", "") for item in ElementTree.fromstring(svg).iter())


@pytest.mark.parametrize("curve", CURVES[:12], ids=lambda curve: curve.compound)
def test_every_well_and_every_dose_is_drawn(curve: Curve) -> None:
    count = classes(curve_picture(curve, "label"))
    measured = [p for p in curve.points if p.efficacy is not None and p.concentration is not None]
    assert count["well"] + count["well hollow"] == sum(p.excluded is None for p in measured)
    assert count["left-out"] == sum(p.excluded is not None for p in measured)
    assert count["mean"] == len(curve.doses)
    assert count["fit"] == 1
    assert count["off"] == (curve.off_axis.departs_at is not None)


def test_replicates_of_one_dose_do_not_hide_each_other() -> None:
    curve = CURVES[0]
    dose = curve.points[0].concentration
    equal = [p.model_copy(update={"efficacy": 0.5}) for p in curve.points if p.concentration == dose]
    root = ElementTree.fromstring(curve_picture(curve.model_copy(update={"points": tuple(equal)}), ""))
    positions = {item.get("cx") for item in root.iter("circle") if item.get("class") == "well"}
    assert len(positions) == len(equal) == 4


def test_a_curve_without_any_well_is_an_empty_frame() -> None:
    bare = CURVES[0].model_copy(update={"points": (), "doses": (), "fitted": (), "band": ()})
    assert classes(curve_picture(bare, ""))["axis"] > 2


def test_an_excluded_well_stays_as_a_cross_and_a_zero_dose_has_a_place() -> None:
    first = CURVES[0].points[0].model_copy(update={"excluded": "by a person", "concentration": 0.0})
    curve = CURVES[0].model_copy(update={"points": (first, *CURVES[0].points[1:])})
    root = ElementTree.fromstring(curve_picture(curve, ""))
    (cross,) = [item for item in root.iter("path") if item.get("class") == "left-out"]
    assert "left out: by a person" in (cross[0].text or "")
    assert "0" in [item.text for item in root.iter("text")]


def test_curves_over_each_other_differ_in_colour_and_dashes() -> None:
    svg = overlay_picture(CURVES[:3], "label")
    assert "<b>" not in svg
    assert classes(svg)["fit"] == 3
    assert len({overlay_style(number) for number in range(8)}) == 8
