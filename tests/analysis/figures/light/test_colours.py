"""Colour scales: zero in the middle, outliers at the ends, and texts in turn."""

from __future__ import annotations

from gandl_analysis.figures.light.colours import colour_scale
from gandl_analysis.figures.style import efficacy_colour


def test_efficacies_have_the_colours_of_all_figures() -> None:
    scale = colour_scale([-3.0, 0.2, None], is_diverging=True, limit=1.0)
    assert (scale.low, scale.high) == (-1.0, 1.0)
    assert [scale.colour(v) for v in (-1.0, 0.0, 0.5, 7.0)] == [efficacy_colour(v) for v in (-1.0, 0.0, 0.5, 1.0)]


def test_one_outlier_does_not_hide_the_others() -> None:
    scale = colour_scale([*map(float, range(1000)), 1e9], is_diverging=False)
    assert (scale.low, scale.high) == (10.0, 990.0)
    assert scale.colour(1e9) == scale.colour(990.0)
    assert scale.colour(10.0) != scale.colour(500.0)


def test_equal_numbers_and_texts_have_a_colour() -> None:
    assert colour_scale([2.0, 2.0], is_diverging=False).colour(2.0).startswith("#")
    texts = colour_scale(["b", "a", None, "b"], is_diverging=False)
    assert texts.categories == ("a", "b")
    assert texts.colour("a") != texts.colour("b")
    assert colour_scale([0.0], is_diverging=True).colour(0.0) == efficacy_colour(0.0)
