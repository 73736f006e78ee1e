"""A control chart: every value, the limits, and marks that need no colour."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

from gandl_analysis.figures.light.chart import ChartValue, chart_picture, is_out
from gandl_science.assay.controls.charts import ControlLimits

LIMITS = ControlLimits(centre=0.0, sd=1.0, n=20)
VALUES = [ChartValue(title=f"<{k}>", group="a" if k < 2 else "b", value=v) for k, v in enumerate((0.0, 1.9, -2.5, 3.5))]


def classes(svg: str) -> Counter[str]:
    return Counter(item.get("class", "") for item in ElementTree.fromstring(svg).iter())


def test_values_beyond_limits_have_another_form() -> None:
    count = classes(chart_picture(VALUES, LIMITS, "label"))
    assert (count["mean"], count["hollow"], count["out"]) == (2, 1, 1)
    assert (count["centre"], count["warning"], count["action"], count["group"]) == (1, 2, 2, 1)
    assert [is_out(value.value, LIMITS) for value in VALUES] == [False, False, False, True]


def test_without_limits_only_the_values_are_drawn() -> None:
    count = classes(chart_picture(VALUES[:1], None, "label"))
    assert (count["mean"], count["centre"], count["out"]) == (1, 0, 0)
    assert not is_out(99.0, None)
