"""Values that describe a published data set, its files, and how far its content was verified."""

from __future__ import annotations

import shutil
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
    """A file of a publisher.

    `size` is in bytes, None where the publisher does not tell it; `about` is then its size in round numbers as the
    publisher's page has it, None without one. `sha256` is the publisher's checksum, None where there is none.
    """

    url: str
    size: int | None
    sha256: str | None = None
    about: int | None = None

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[1]

    @property
    def expected_bytes(self) -> int:
        """The size as far as it is known before the download; 0 where nobody tells it."""
        return self.size or self.about or 0

    @property
    def size_text(self) -> str:
        """The size in words."""
        if self.size is not None:
            return megabytes(self.size)
        return f"about {megabytes(self.about)}" if self.about else "the publisher does not tell the size"


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
        """The size of all archives, as far as it is known."""
        return sum(archive.expected_bytes for archive in self.archives)


def free_bytes_at(target: Path) -> int:
    """Return the free space on the disk of a folder, which may not exist yet."""
    return shutil.disk_usage(next(path for path in target.resolve().parents if path.is_dir())).free


def megabytes(size: int) -> str:
    """Return a number of bytes in MB, 10⁶ bytes."""
    return f"{size / 1e6:,.0f} MB"
