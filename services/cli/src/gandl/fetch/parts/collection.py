"""A data set of several parts, each of which can be fetched alone; what is there already is kept.

Every part appears under its name when it is complete and checked, so that a reader never sees half of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from gandl.fetch.data_set import RemoteFile
from gandl.fetch.download import OnBytes


class Content(StrEnum):
    """What a part of a data set holds."""

    METADATA = "metadata"
    EMBEDDINGS = "embeddings"
    IMAGES = "images"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which parts are fetched, and of the images those of which cell types and experiments; empty stands for all."""

    only: tuple[Content, ...] = ()
    cell_types: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether some images are left out."""
        return bool(self.cell_types or self.experiments)

    def takes(self, content: Content) -> bool:
        """Return whether a kind of part is fetched."""
        return not self.only or content in self.only

    def takes_plate(self, experiment: str, cell_type: str) -> bool:
        """Return whether the images of a plate are fetched. Upper and lower case do not matter."""
        pairs = ((self.cell_types, cell_type), (self.experiments, experiment))
        return all(not names or name.casefold() in {n.casefold() for n in names} for names, name in pairs)


@dataclass(frozen=True, kw_only=True)
class PartRecord:
    """A file that a part came from, how many files it became, and its own SHA-256, None where it was not read whole."""

    name: str
    size: int
    sha256: str | None
    files: int


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where a part is fetched to and from: `source` is a local copy, None stands for the publisher.

    `work` is a folder on the disk of the target, in which an interrupted download stays.
    """

    target: Path
    work: Path
    source: Path | None
    choice: Choice
    on_step: Callable[[str], None]
    on_bytes: OnBytes = field(repr=False)

    def local(self, *names: str) -> Path | None:
        """Return the local copy of a file by one of its names: the source itself, or a file in it."""
        if self.source is None:
            return None
        paths = (path for name in names for path in (self.source, self.source / name) if path.name == name)
        return next((path for path in paths if path.exists()), None)


class Part(Protocol):
    """A part of a data set. `files` are those of the publisher that are needed for a choice."""

    @property
    def content(self) -> Content:
        """What the part holds."""
        ...

    def remote_files(self, choice: Choice) -> Sequence[RemoteFile]:
        """Return the files of the publisher that the part of a choice comes from."""
        ...

    def space(self, choice: Choice) -> int:
        """Return how many bytes the part of a choice needs on the disk, as far as it is known; 0 if it is not."""
        ...

    def is_local(self, workplace: Workplace) -> bool:
        """Return whether the local copy holds the part."""
        ...

    def is_complete(self, workplace: Workplace) -> bool:
        """Return whether the target has the part already, as far as its names tell."""
        ...

    def fetch(self, workplace: Workplace) -> list[PartRecord]:
        """Fetch the part into the target, and return where it came from."""
        ...


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A data set of several parts, and under which licence it is published."""

    name: str
    title: str
    page: str
    licence: str
    citation: str
    parts: tuple[Part, ...]

    def parts_of(self, choice: Choice) -> tuple[Part, ...]:
        """Return the parts of a choice."""
        return tuple(part for part in self.parts if choice.takes(part.content))
