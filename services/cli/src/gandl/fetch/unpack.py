"""Unpack ZIP and TAR archives that may come from anywhere: only regular files, inside one folder, within limits.

An archive can name files outside the folder (`../x`, `/x`), contain links that lead outside, or grow without end when
it is unpacked. Each of these is an error, and the sizes that count are those of the bytes written, not those that the
archive tells.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

from gandl_shared.errors import BadInput, Malformed, TooLarge
from gandl_shared.files.archives import DAMAGED

_CHUNK = 1 << 20
_MIN_RATIO_BYTES = 1 << 20
"""The ratio says nothing about small archives, because a tar archive is padded to blocks of 10 kB."""


class _Stream(Protocol):
    """What is needed of a stream of bytes."""

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


_COMPRESSED_TAR: tuple[tuple[bytes, Callable[[IO[bytes]], _Stream]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
"""The first bytes of a compressed file, and how it is decompressed."""


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """The largest archive that is unpacked. `max_ratio` is that of the unpacked to the packed size.

    Images compress two- to fivefold, text tenfold; a decompression bomb reaches a thousand (zlib) and more.
    """

    max_files: int
    max_bytes: int
    max_ratio: float = 100.0


def unpack(archive: Path, folder: Path, limits: ArchiveLimits) -> None:
    """Unpack an archive into an existing folder. Raises Malformed, TooLarge, or BadInput for another kind of file."""
    budget = _Budget(archive, limits)
    try:
        with archive.open("rb") as file:
            if zipfile.is_zipfile(file):
                _unpack_zip(file, folder, budget)
            else:
                _unpack_tar(file, folder, budget)
    except (*DAMAGED, tarfile.TarError, lzma.LZMAError) as error:
        raise Malformed(f"{archive.name} is not a complete ZIP or TAR archive: {error}") from error
    except OSError as error:
        # A directory that places an entry before the start of the file; others are faults of the disk.
        if error.errno != errno.EINVAL:
            raise
        raise Malformed(f"{archive.name} is not a complete ZIP or TAR archive: {error.strerror}") from error


class _Budget:
    """Count files and bytes while an archive is unpacked. Every method raises TooLarge beyond the limits."""

    def __init__(self, archive: Path, limits: ArchiveLimits) -> None:
        self._name = archive.name
        self._limits = limits
        by_ratio = max(_MIN_RATIO_BYTES, int(limits.max_ratio * archive.stat().st_size))
        self._max_bytes = min(limits.max_bytes, by_ratio)
        self._files = 0
        self._bytes = 0

    def add_file(self) -> None:
        """Count one file."""
        self._files += 1
        if self._files > self._limits.max_files:
            raise TooLarge(f"{self._name} contains more than {self._limits.max_files} files; it is not unpacked")

    def add_bytes(self, count: int) -> None:
        """Count unpacked bytes."""
        self._bytes += count
        if self._bytes > self._max_bytes:
            raise TooLarge(f"{self._name} unpacks to more than {self._max_bytes / 1e6:.0f} MB; it is not unpacked")


def _unpack_zip(file: IO[bytes], folder: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            mode = member.external_attr >> 16
            # Archives made on Windows have no mode, which is 0 here.
            if member.is_dir() or stat.S_ISDIR(mode):
                continue
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise Malformed(f"the archive contains '{member.filename}', which is a link or a special file")
            if member.flag_bits & 1:
                raise Malformed(f"'{member.filename}' in the archive is encrypted")
            with archive.open(member) as content:
                _write(content, _inside(folder, member.orig_filename), budget)


def _unpack_tar(file: IO[bytes], folder: Path, budget: _Budget) -> None:
    # The stream mode calls only `read`, and the limited stream also bounds headers, which tarfile reads as a whole.
    with _decompressed(file, budget) as stream, tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as archive:
        for member in archive:
            if member.isdir():
                continue
            # A sparse file can be far larger than its bytes in the archive, which are the ones that count here.
            content = archive.extractfile(member) if member.isreg() and not member.issparse() else None
            if content is None:
                raise Malformed(f"the archive contains '{member.name}', which is a link or a special file")
            _write(content, _inside(folder, member.name), budget, count_bytes=False)


@contextmanager
def _decompressed(file: IO[bytes], budget: _Budget) -> Iterator[_CountedStream]:
    file.seek(0)
    first = file.read(8)
    file.seek(0)
    for magic, opener in _COMPRESSED_TAR:
        if first.startswith(magic):
            with closing(opener(file)) as stream:
                yield _CountedStream(stream, budget)
            return
    if first.lstrip()[:1] == b"<":
        raise BadInput("the file is an HTML or XML page, not an archive")
    yield _CountedStream(file, budget)


class _CountedStream:
    """A stream that counts every byte that is read from it, and raises ReadError for bytes that do not decompress."""

    def __init__(self, stream: _Stream, budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes. Raises TooLarge beyond the limits."""
        try:
            block = self._stream.read(min(size, _CHUNK))
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise tarfile.ReadError(str(error)) from error
        self._budget.add_bytes(len(block))
        return block


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a member. Raises Malformed for names that lead out of the folder on any system."""
    # Names are checked by the rules of POSIX and of Windows, whatever system unpacks them.
    path = PurePosixPath(name.rstrip("\0"))
    has_drive = ":" in name.split("/", 1)[0]
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name or "\0" in name or has_drive:
        raise Malformed(f"the archive contains '{name}', a path that leads out of the folder")
    return folder.joinpath(*path.parts)


def _write(content: IO[bytes], path: Path, budget: _Budget, *, count_bytes: bool = True) -> None:
    budget.add_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            while block := content.read(_CHUNK):
                if count_bytes:
                    budget.add_bytes(len(block))
                file.write(block)
    except (FileExistsError, NotADirectoryError) as error:
        raise Malformed(f"the archive contains '{path.name}' twice") from error
