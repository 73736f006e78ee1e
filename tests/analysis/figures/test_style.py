"""The style of figures: user text as labels, colours that can be told apart, and a palette for the vocabulary."""

from __future__ import annotations

from gandl_analysis.figures.style import PALETTE, VARIABLES, contrasting, efficacy_colour, new_figure
from gandl_analysis.figures.svg import to_svg
from gandl_analysis.figures.texts import plain
from gandl_shared.schemas.vocabulary import Colour


def test_a_dollar_stays_a_dollar() -> None:
    figure = new_figure(3, 2)
    figure.add_subplot().set_xlabel(plain("5$ or $6^2$ <i>"))
    assert "5$ or $6^2$ &lt;i&gt;" in to_svg(figure)


def test_colours_of_efficacy_turn_at_zero_and_marks_stay_readable() -> None:
    low, middle, high = (efficacy_colour(e) for e in (-1.0, 0.0, 1.0))
    assert efficacy_colour(-7.0) == low
    assert efficacy_colour(9.0) == high
    assert int(low[1:3], 16) > int(low[5:7], 16)
    assert int(high[1:3], 16) < int(high[5:7], 16)
    assert contrasting(middle) == "#101418"
    assert contrasting(high) == "#ffffff"


def test_every_colour_of_the_vocabulary_is_a_variable_of_the_page() -> None:
    assert set(PALETTE) == set(Colour)
    assert set(PALETTE.values()) <= set(VARIABLES)
