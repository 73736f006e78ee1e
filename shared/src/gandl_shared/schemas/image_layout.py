"""How the images of a screen were read: their layout, and which channel feeds which input of the model."""

from __future__ import annotations

from collections.abc import Mapping

from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.choice import Reduction


class ChannelUse(Frozen):
    """One input of the model and the channel of the images that feeds it.

    `channel` is the token of the layout, such as 1, and `channel_name` what the instrument calls it.
    """

    input: str
    stain: str | None = None
    channel: str
    channel_name: str | None = None

    @property
    def text(self) -> str:
        """The channel and its input in one phrase."""
        name = f" ({self.channel_name})" if self.channel_name and self.channel_name != self.channel else ""
        return f"{self.channel or 'all channels of a file'}{name} → {self.input}"


class ImageLayout(Frozen):
    """What decided how the images of a screen were read.

    `layout` names the layout, `channel_order` says why the channels have this order, `reduction` how focal planes
    became one image, and `incomplete` counts the sites that were parked because they lack a channel. `skipped` counts
    files that are no plate images, by reason.
    """

    layout: str
    channels: tuple[ChannelUse, ...]
    channel_order: str
    reduction: Reduction = Reduction.NONE
    pixel_size_um: float | None = None
    skipped: Mapping[str, int] = {}
    incomplete: int = 0

    @property
    def channel_text(self) -> str:
        """The channels in the order of the model's inputs, and why."""
        return f"{', '.join(use.text for use in self.channels)}; {self.channel_order}"
