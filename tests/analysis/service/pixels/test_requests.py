"""What a client may ask of a picture."""

from __future__ import annotations

import pytest
from gandl_analysis.figures.pixels.colours import RGB, Colour, PictureChannel
from gandl_analysis.service.pixels.requests import Crop, read_crop, read_limits, view_of
from gandl_shared.errors import Invalid

CHANNELS = (
    PictureChannel(number=1, name="GFP", stain="FKHR-EGFP", colour=RGB[Colour.GREEN]),
    PictureChannel(number=2, name="DNA", stain=None, colour=RGB[Colour.BLUE]),
)


@pytest.mark.parametrize("names", [[], ["composite"], ["1", "2"], ["gfp", "DNA"], ["FKHR-egfp", "2"]])
def test_channels_have_a_number_a_name_and_a_stain(names: list[str]) -> None:
    view = view_of(CHANNELS, names)
    assert (view.indices, view.colours) == ([0, 1], (RGB[Colour.GREEN], RGB[Colour.BLUE]))


def test_a_channel_alone_is_grey_unless_it_gets_a_colour() -> None:
    assert view_of(CHANNELS, ["2", "dna"]).colours == (RGB[Colour.GREY],)
    coloured = view_of(CHANNELS, ["2"], ["cyan"])
    assert (coloured.indices, coloured.colours) == ([1], (RGB[Colour.CYAN],))
    assert coloured.key != view_of(CHANNELS, ["2"]).key


@pytest.mark.parametrize("names", [["3"], ["0"], ["composite", "1"], [""]])
def test_another_name_is_refused_with_the_channels_of_the_screen(names: list[str]) -> None:
    with pytest.raises(Invalid, match=r"the channels of this screen are 1 \(GFP\), 2 \(DNA\), or composite"):
        view_of(CHANNELS, names)


def test_a_part_is_four_whole_numbers() -> None:
    assert read_crop("1,2,30,40") == Crop(x=1, y=2, width=30, height=40)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,0", "1,2,3,-4", "1.5,2,3,4", "1,2,3,4,5", "٣,2,3,4", "1,2,3,99999999"]
)
def test_another_part_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="write x,y,width,height"):
        read_crop(text)


def test_limits_are_those_of_the_screen_or_a_pair_for_each_channel() -> None:
    assert read_limits("screen", 2) is None
    assert read_limits("0,100;-5,2.5e3", 2) == ((0.0, 100.0), (-5.0, 2500.0))


@pytest.mark.parametrize("text", ["0,100", "0,100;1", "0,100;5,5", "0,inf;0,1", "a,b;c,d", "Screen"])
def test_other_limits_are_refused(text: str) -> None:
    with pytest.raises(Invalid, match="low,high for each channel"):
        read_limits(text, 2)
