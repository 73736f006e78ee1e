"""Values that describe a published data set, its files, and how far its content was verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Verification(StrEnum):
    """How far the content of a data set was verified. Every content is checked for its size and decoded."""

    PUBLISHER_CHECKSUM = "publisher checksum"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file of a publisher. `size` is in bytes; `sha256` is the publisher's checksum, None where there is none."""

    url: str
    size: int
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set: where it is published, under which licence, how large it is, and how it is laid out.

    `unpacked_bytes` is the size of all files in the archives, `laid_out_bytes` that of the folder in the end.
    `lay_out(source, target)` writes the published files below the folder `source` into the empty folder `target`.
    `check(target)` raises Invalid if a folder is not laid out so. Both name every problem at once.
    """

    name: str
    title: str
    page: str
    licence: str
    citation: str
    archives: tuple[RemoteFile, ...]
    unpacked_bytes: int
    laid_out_bytes: int
    lay_out: Callable[[Path, Path], None]
    check: Callable[[Path], None]

    @property
    def archive_bytes(self) -> int:
        """The size of all archives."""
        return sum(archive.size for archive in self.archives)
