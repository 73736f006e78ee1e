"""What a layout says of the images of a folder: one value per file, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PROJECTION = "projection"
"""The plane of a file that holds the projection of a stack, which the instrument made itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFile:
    """One image file, relative to the images folder, and what its layout says of it.

    `plates` are the names that the plate may have, the most specific first: an index, a folder and a file name may
    each spell it differently, and the plate map decides. It is empty where nothing names the plate. `named` is False
    where the names are only those of folders, which may be anything. `channel` is the token of the layout; it is
    empty where one file holds all channels. `plane`, `time` and `measurement` are empty where the layout does not
    tell them apart. `pixel_size_um` is the edge of a pixel, None where the layout does not say it. `present` is False
    for a file that an index names and that is not there.
    """

    name: str
    plates: tuple[str, ...]
    well: str
    site: str
    channel: str = ""
    plane: str = ""
    time: str = ""
    measurement: str = ""
    named: bool = True
    pixel_size_um: float | None = None
    present: bool = True


@dataclass(frozen=True, kw_only=True)
class ChannelName:
    """A channel token of the files and the name that the instrument gives it, such as `1` and `HOECHST 33342`."""

    token: str
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """All images of a folder in one layout.

    `layout` is a name for people. `skipped` counts the files that are no plate images, by reason. `is_published` says
    that the images are those of a public data set, of which everybody has another part: a site without all channels is
    then reported, and is no reason to refuse a screen.
    """

    layout: str
    files: tuple[ImageFile, ...]
    channels: tuple[ChannelName, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    is_published: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the files that an index names and that are not there."""
        return tuple(dict.fromkeys(file.name for file in self.files if not file.present))
