"""Which channel feeds which input: names decide, then numbers, and never the alphabet."""

from __future__ import annotations

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates.layouts.images import ChannelName
from gandl_shared.plates.selection.channels import ModelInput, order_channels

MODEL = (ModelInput(name="GFP", stain="FKHR-EGFP"), ModelInput(name="DNA", stain="DRAQ"))


def channels(*tokens: str, **names: str) -> list[ChannelName]:
    return [ChannelName(token=token) for token in tokens] + [ChannelName(token=t[1:], name=n) for t, n in names.items()]


@pytest.mark.parametrize(
    ("present", "order"),
    [
        (channels("DNA", "GFP"), ("GFP", "DNA")),
        (channels("dna", "gfp"), ("gfp", "dna")),
        (channels("Hoechst", "FITC"), ("FITC", "Hoechst")),
        (channels(_1="HOECHST 33342", _2="EGFP"), ("2", "1")),
        (channels(_1="Fluorescein (FITC)", _2="DAPI"), ("1", "2")),
    ],
)
def test_the_names_of_the_model_decide(present: list[ChannelName], order: tuple[str, ...]) -> None:
    assert order_channels(present, MODEL).tokens == order


def test_numbers_are_taken_in_their_order() -> None:
    assert order_channels(channels("10", "2", "1"), MODEL).tokens == ("1", "2", "10")


def test_names_that_are_not_the_models_are_asked_about() -> None:
    with pytest.raises(Invalid, match="have the channels Blue, Red, and the model takes GFP, DNA; give --channels"):
        order_channels(channels("Red", "Blue"), MODEL)
    with pytest.raises(Invalid, match="names have no order of their own"):
        order_channels(channels("Red", "Blue"), ())


def test_two_channels_of_one_stain_are_asked_about() -> None:
    with pytest.raises(Invalid, match="give --channels"):
        order_channels(channels("DAPI", "Hoechst"), MODEL)


def test_the_user_may_choose_by_name_or_token() -> None:
    present = channels(_1="DAPI", _2="FITC", _3="Cy5")
    assert order_channels(present, MODEL, ["FITC", "1"]).tokens == ("2", "1")
    with pytest.raises(Invalid, match=r"channel 'GFP' is not among 1 \(DAPI\), 2 \(FITC\), 3 \(Cy5\)"):
        order_channels(present, MODEL, ["GFP"])


def test_a_single_channel_needs_no_name() -> None:
    assert order_channels(channels("whatever"), MODEL).tokens == ("whatever",)


def test_a_name_that_contradicts_the_numbers_is_asked_about() -> None:
    with pytest.raises(Invalid, match=r"have the channels 1 \(HOECHST 33342\), 2 \(Alexa 488\), and the model takes"):
        order_channels(channels(_1="HOECHST 33342", _2="Alexa 488"), MODEL)
    assert order_channels(channels(_1="Alexa 488", _2="HOECHST 33342"), MODEL).reason == "by the channels' numbers"


def test_a_channel_is_taken_once() -> None:
    with pytest.raises(Invalid, match="names channel '1' more than once"):
        order_channels(channels(_1="DAPI", _2="FITC"), MODEL, ["1", "1"])
