"""Channels get the colours of their stains."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.figures.pixels.colours import (
    RGB,
    STAINS,
    Colour,
    channel_colours,
    hex_colour,
    read_colour,
    stain_colour,
)
from gandl_shared.errors import Invalid


def names(*channels: tuple[str, str | None]) -> list[str]:
    by_rgb = {rgb: colour.value for colour, rgb in RGB.items()}
    return [by_rgb[colour] for colour in channel_colours(channels)]


def test_the_stain_decides_and_the_name_where_it_says_nothing() -> None:
    assert names(("GFP", "FKHR-EGFP"), ("DNA", "DRAQ")) == ["green", "blue"]
    painting = [("DNA", "Hoechst 33342"), ("ER", None), ("AGP", "phalloidin"), ("Mito", None), ("RNA", "SYTO 14")]
    assert names(*painting) == ["blue", "green", "red", "magenta", "cyan"]
    assert names(("w1", "Tubulin-Alexa488"), ("actin", "TRITC"), ("x", "DAPI")) == ["green", "red", "blue"]


def test_two_channels_never_share_a_colour() -> None:
    assert names(("GFP", None), ("tubulin", None), ("c3", None)) == ["green", "magenta", "blue"]
    assert len(set(names(*((f"c{n}", None) for n in range(7))))) == 7
    assert names(*((f"c{n}", None) for n in range(9)))[7:] == ["grey", "grey"]


def test_a_word_inside_another_is_no_stain() -> None:
    assert stain_colour("water") is None
    assert stain_colour("Alexa Fluor 488") is Colour.GREEN


@pytest.mark.parametrize(
    ("text", "rgb"), [("Blue", RGB[Colour.BLUE]), ("#ff8c00", (255, 140, 0)), ("0A0b0C", (10, 11, 12))]
)
def test_a_colour_is_read_by_name_or_digits(text: str, rgb: tuple[int, int, int]) -> None:
    assert read_colour(text) == rgb


@pytest.mark.parametrize("text", ["pink", "#fff", "ff8c0", ""])
def test_another_text_is_no_colour(text: str) -> None:
    with pytest.raises(Invalid, match="six hexadecimal digits"):
        read_colour(text)


def test_a_colour_is_written_for_css() -> None:
    assert hex_colour((255, 140, 0)) == "#ff8c00"


def test_the_document_lists_every_stain_with_its_colour(repository: Path) -> None:
    text = (repository / "docs/pictures.md").read_text(encoding="utf-8")
    for colour in dict.fromkeys(STAINS.values()):
        words = ", ".join(word for word, other in STAINS.items() if other is colour)
        assert f"| {colour} | {words} |" in text
