"""Unpacking a ZIP archive that a user uploads: within limits, below its folder, and regular files only.

Everything that the archive states is checked before the first byte is written, and the bytes are counted while they
are unpacked, because an archive may state less than it holds.
"""

from __future__ import annotations

import errno
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gandl_shared.errors import BadInput, Problem, TooLarge, raise_if
from gandl_shared.files.atomic import atomic_folder
from gandl_shared.files.regular import open_regular

DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    IndexError,
    ValueError,
)
"""What `zipfile` raises for archives that are damaged or forged, such as ValueError for names that are no UTF-8."""
MAX_NAME_BYTES = 255
MAX_LISTED = 5
_CHUNK = 2**20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# Of an end record: signature, entries (16 bits), size of the directory (32 bits). A value of all ones is elsewhere.
_END, _END_SIZE, _END_64, _LOCATOR_64 = b"PK\x05\x06", 22, b"PK\x06\x06", b"PK\x06\x07"
_MAX_COMMENT = 2**16
_LEFTOVERS = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
"""Names that programs of operating systems add to archives; they are passed over."""


@dataclass(frozen=True, kw_only=True)
class UnpackLimits:
    """What an archive may hold: files, bytes after unpacking, bytes after unpacking per byte of the archive, and
    folders inside folders. `min_free` bytes stay free on the disk."""

    max_files: int = 200_000
    max_bytes: int = 500 * 2**30
    max_ratio: float = 100.0
    max_depth: int = 12
    min_free: int = 2**30


DEFAULT_LIMITS = UnpackLimits()


def unpack_zip(archive: Path, folder: Path, limits: UnpackLimits = DEFAULT_LIMITS) -> int:
    """Unpack a ZIP archive into the new folder `folder`; return the number of files.

    Nothing is left behind where it is refused. Raises BadInput naming the entries that lead out of the folder, are
    links or devices, occur twice or are encrypted, and for a damaged archive; TooLarge beyond a limit.
    """
    with open_regular(archive) as file:
        size = file.seek(0, 2)
        _check_directory(file, size, limits)
        try:
            with zipfile.ZipFile(file) as opened, atomic_folder(folder) as temporary:
                files = list(_checked_files(opened.infolist(), size, temporary, limits))
                budget = _Budget(min(limits.max_bytes, int(limits.max_ratio * size)))
                for entry, parts in files:
                    _unpack(opened, entry, temporary.joinpath(*parts), budget)
        except DAMAGED as error:
            raise BadInput(f"the archive is damaged: {error}; pack it again") from error
        except OSError as error:
            # A directory that places an entry before the start of the file; others are faults of the disk.
            if error.errno != errno.EINVAL:
                raise
            raise BadInput(f"the archive is damaged: {error.strerror}; pack it again") from error
    return len(files)


@dataclass
class _Budget:
    """How many bytes may still be unpacked."""

    remaining: int

    def spend(self, count: int) -> None:
        self.remaining -= count
        if self.remaining < 0:
            raise TooLarge("the archive unpacks to more than is allowed; upload fewer images at once")


def _check_directory(file: BinaryIO, size: int, limits: UnpackLimits) -> None:
    """Refuse an archive of too many entries before its directory is read into memory."""
    file.seek(max(0, size - _END_SIZE - _MAX_COMMENT))
    tail = file.read()
    start = tail.rfind(_END)
    if start < 0 or len(tail) - start < _END_SIZE:
        raise BadInput("the file is no ZIP archive; pack the folder of images as .zip")
    entries, directory = struct.unpack_from("<H", tail, start + 10)[0], struct.unpack_from("<I", tail, start + 12)[0]
    locator = tail.rfind(_LOCATOR_64, 0, start)
    if locator >= 0:
        (offset,) = struct.unpack_from("<Q", tail, locator + 8)
        file.seek(min(offset, size))
        record = file.read(56)
        if record[:4] == _END_64 and len(record) == 56:
            entries, directory = struct.unpack_from("<Q", record, 32)[0], struct.unpack_from("<Q", record, 40)[0]
    # Every entry has a name, and folders count here; an honest archive has at most a few folders per file.
    if entries > 2 * limits.max_files or directory > 2 * limits.max_files * (46 + MAX_NAME_BYTES):
        raise TooLarge(f"the archive has {entries} entries; at most {limits.max_files} files are allowed")
    file.seek(0)


def _checked_files(
    entries: Sequence[zipfile.ZipInfo], size: int, folder: Path, limits: UnpackLimits
) -> Iterator[tuple[zipfile.ZipInfo, tuple[str, ...]]]:
    """Yield the files of an archive with the parts of their paths. Raises BadInput with all that cannot be unpacked."""
    problems: list[Problem] = []
    files: dict[tuple[str, ...], zipfile.ZipInfo] = {}
    folders: set[tuple[str, ...]] = set()
    for entry in entries:
        parts = tuple(entry.filename.rstrip("/").split("/"))
        reason = _refusal(entry, parts, limits)
        # File systems of some machines know no difference of case, so such names would replace each other.
        key = tuple(part.casefold() for part in parts)
        if reason is None and key in files:
            reason = "is there twice"
        if reason is not None:
            problems.append(Problem(f"'{entry.filename[:200]}' {reason}"))
            continue
        folders.update(key[:depth] for depth in range(1, len(key) + (1 if entry.is_dir() else 0)))
        if not entry.is_dir() and not any(part in _LEFTOVERS for part in parts):
            files[key] = entry
    clashes = [
        Problem(f"'{entry.filename[:200]}' is a file and a folder") for key, entry in files.items() if key in folders
    ]
    problems += clashes
    summary = "the archive cannot be unpacked" + (f" ({len(problems)} entries)" if len(problems) > 1 else "")
    raise_if(problems[:MAX_LISTED], BadInput, summary)
    _check_sizes(list(files.values()), size, folder, limits)
    for entry in files.values():
        yield entry, tuple(entry.filename.split("/"))


def _refusal(entry: zipfile.ZipInfo, parts: Sequence[str], limits: UnpackLimits) -> str | None:
    """Return why an entry must not be unpacked, or None if it may."""
    name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
    rules = {
        "has a name with a backslash, a colon or a control character": any(
            c in "\\:" or ord(c) < 32 or ord(c) == 127 for c in name
        ),
        "leads out of the folder": any(part in ("", ".", "..") for part in parts),
        "has a name that is too long": any(len(part.encode("utf-8", "replace")) > MAX_NAME_BYTES for part in parts),
        f"lies deeper than {limits.max_depth} folders": len(parts) > limits.max_depth + 1,
        "is a link or a device": kind not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG),
        "is encrypted; pack it without a password": bool(entry.flag_bits & _ENCRYPTED),
        "is compressed by another method than deflate": entry.compress_type not in _METHODS,
    }
    return next((reason for reason, applies in rules.items() if applies), None)


def _check_sizes(files: Sequence[zipfile.ZipInfo], size: int, folder: Path, limits: UnpackLimits) -> None:
    total = sum(entry.file_size for entry in files)
    if not files:
        raise BadInput("the archive holds no file; pack the folder of images")
    if len(files) > limits.max_files:
        raise TooLarge(f"the archive has {len(files)} files; at most {limits.max_files} are allowed")
    if total > limits.max_bytes:
        raise TooLarge(f"the archive unpacks to {_mb(total)}; at most {_mb(limits.max_bytes)} are allowed")
    if total > limits.max_ratio * size:
        raise TooLarge(
            f"the archive of {_mb(size)} unpacks to {_mb(total)}, more than {limits.max_ratio:g} times its size; "
            "images do not compress so, so something else is in it"
        )
    free = shutil.disk_usage(folder).free
    if total > free - limits.min_free:
        raise TooLarge(f"the archive unpacks to {_mb(total)}, and the disk of the server has only {_mb(free)} free")


def _mb(count: int) -> str:
    return f"{count / 1e6:,.{0 if count >= 10e6 else 3}f} MB"


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, budget: _Budget) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            budget.spend(len(chunk))
            file.write(chunk)
