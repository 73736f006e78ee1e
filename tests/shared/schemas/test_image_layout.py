"""Which channel feeds which input, in one phrase."""

from __future__ import annotations

from gandl_shared.schemas.image_layout import ChannelUse, ImageLayout


def test_channels_and_the_reason_for_their_order_are_told_together() -> None:
    layout = ImageLayout(
        layout="Harmony",
        channels=(
            ChannelUse(input="GFP", channel="2", channel_name="FITC"),
            ChannelUse(input="DNA", channel="1"),
        ),
        channel_order="by the names of the model's channels and stains",
    )
    assert layout.channel_text == "2 (FITC) → GFP, 1 → DNA; by the names of the model's channels and stains"
