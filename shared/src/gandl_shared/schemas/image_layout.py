"""How the images of a screen were read, and what a folder of images holds.

The report on a folder is what `gandl inspect` prints and `POST /screens` answers with `dry_run`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.choice import Reduction
from gandl_shared.schemas.screen import ProblemBody


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


class PlateContent(Frozen):
    """A plate with the numbers of its wells and fields of view."""

    plate: str
    wells: int
    sites: int


class ChannelContent(Frozen):
    """A channel of the images in the order in which it feeds the model.

    `input` is the input of the model, if a model is known. `low` and `high` are the 0.1 and 99.9 percentiles of the
    pixels of a sample of fields, and `maximum` is the largest pixel of it.
    """

    channel: str
    channel_name: str | None = None
    input: str | None = None
    low: float | None = None
    high: float | None = None
    maximum: float | None = None


class ImageReport(Frozen):
    """The content of a folder of images, and what is still open before a screen can run.

    `channel_order` says why the channels have this order, null if it is not decided. `planes`, `timepoints` and
    `measurements` are those of all files. `pixel_type` is the type of the pixels, and `bits_used` the number of bits of
    their largest value. Lists of files hold the first ones; the counts beside them are complete. `skipped` counts
    files that are no plate images, by reason. `command` runs the screen; where a choice is open, it names the option
    with a word in capitals.
    """

    layout: str
    plates: tuple[PlateContent, ...]
    channels: tuple[ChannelContent, ...]
    channel_order: str | None = None
    planes: tuple[str, ...] = ()
    timepoints: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()
    reduction: Reduction = Reduction.NONE
    pixel_size_um: float | None = None
    height: int | None = None
    width: int | None = None
    pixel_type: str | None = None
    bits_used: int | None = None
    files: int = Field(description="number of image files that belong to the plates")
    missing: tuple[str, ...] = Field(default=(), description="files that an index names and that are not there")
    missing_count: int = 0
    incomplete: tuple[ProblemBody, ...] = Field(default=(), description="fields that lack a channel")
    incomplete_count: int = 0
    skipped: Mapping[str, int] = {}
    problems: tuple[ProblemBody, ...] = ()
    command: str

    @property
    def sites(self) -> int:
        """The number of fields of view of all plates."""
        return sum(plate.sites for plate in self.plates)
