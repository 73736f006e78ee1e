"""One field of view of a well, and its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class SiteId(NamedTuple):
    """Which field of view: the names of plate, well and site."""

    plate: str
    well: str
    site: str


@dataclass(frozen=True, kw_only=True)
class Site:
    """One field of view of a well: its files in channel order, relative to `root`.

    A name may refer to one image of a file (`gandl_shared.files.references`).

    `planes` is the number of files of each channel where focal planes are to be reduced or a channel is missing (0); it
    is empty where each channel has one file, or one file holds all channels.
    """

    plate: str
    well: str
    site: str
    root: Path
    names: tuple[str, ...]
    planes: tuple[int, ...] = ()

    @property
    def id(self) -> SiteId:
        """Plate, well and site."""
        return SiteId(self.plate, self.well, self.site)

    @property
    def files(self) -> tuple[Path, ...]:
        """The paths of all files, in channel order."""
        return tuple(self.root / name for name in self.names)

    @property
    def stacks(self) -> tuple[tuple[Path, ...], ...]:
        """The paths of the files of each channel, which are its focal planes."""
        return tuple(tuple(self.root / name for name in names) for names in self.channels())

    @property
    def is_complete(self) -> bool:
        """Whether no channel is missing."""
        return 0 not in self.planes

    @property
    def n_files(self) -> int:
        """The number of images after the reduction of planes: one per channel, or one for all."""
        return len(self.planes) or len(self.names)

    def channels(self) -> Iterator[tuple[str, ...]]:
        """Yield the names of the files of each channel."""
        start = 0
        for count in self.planes or (1,) * len(self.names):
            yield self.names[start : start + count]
            start += count
