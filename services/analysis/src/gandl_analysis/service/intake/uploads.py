"""Uploads: archives of images and plate maps, kept in the folder `uploads` below the image root."""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gandl_shared.errors import BadInput, Conflict, TooLarge
from gandl_shared.files.archives import DEFAULT_LIMITS, UnpackLimits, unpack_zip
from gandl_shared.files.atomic import TEMPORARY_PREFIX, atomic_file
from gandl_shared.files.objects import is_object
from gandl_shared.plates.layouts.ome_zarr import PACKED_ZARR

from gandl_analysis.service.intake.folders import TABLE_SUFFIXES

FOLDER = "uploads"
MAX_PLATE_MAP_BYTES = 50_000_000
_CHUNK = 2**20
_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """The uploads below an image root. An archive may have `max_bytes`."""

    image_root: Path
    max_bytes: int
    limits: UnpackLimits = DEFAULT_LIMITS

    def add_archive(self, name: str, content: BinaryIO) -> str:
        """Unpack an archive of images; return the path of its folder below the image root.

        Raises what `unpack_zip` does, BadInput for an archive of mere archives, and Conflict where the image root
        cannot be written.
        """
        folder = self._folder()
        temporary = folder / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}.zip"
        target = folder / f"{_plain(name, '.zip')}-{secrets.token_hex(4)}"
        try:
            _copy(content, temporary, self.max_bytes)
            unpack_zip(temporary, target, self.limits)
        finally:
            temporary.unlink(missing_ok=True)
        _refuse_nested(target)
        return str(target.relative_to(self.image_root.resolve()))

    def add_plate_map(self, name: str, content: BinaryIO) -> str:
        """Store a plate map; return its path below the image root. Raises BadInput for another kind of file."""
        suffix = Path(name).suffix.lower()
        if suffix not in TABLE_SUFFIXES:
            raise BadInput(f"'{name[:200]}' is no plate map; give a file that ends with {', '.join(TABLE_SUFFIXES)}")
        data = content.read(MAX_PLATE_MAP_BYTES + 1)
        if len(data) > MAX_PLATE_MAP_BYTES:
            raise TooLarge(f"the plate map has more than {MAX_PLATE_MAP_BYTES} bytes")
        target = self._folder() / f"{_plain(name, suffix)}-{secrets.token_hex(4)}{suffix}"
        with atomic_file(target) as file:
            file.write(data)
        return f"{FOLDER}/{target.name}"

    def _folder(self) -> Path:
        if is_object(self.image_root):
            raise Conflict("the images of this server are in an object store; put yours there with its own tools")
        folder = self.image_root.resolve() / FOLDER
        try:
            folder.mkdir(exist_ok=True)
            probe = folder / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise Conflict(
                f"the server cannot write uploads: {error.strerror}; put the images below its image folder yourself"
            ) from error
        if folder.is_symlink():
            raise Conflict(f"the folder {FOLDER} of the server is a link; make it a folder")
        return folder


def _refuse_nested(folder: Path) -> None:
    """Remove a folder that holds nothing but further archives, and raise BadInput. Packed OME-Zarr is images."""
    files = (path for path in folder.rglob("*") if path.is_file())
    first = next(files)
    if all(_is_mere_archive(path.name.lower()) for path in (first, *files)):
        shutil.rmtree(folder)
        raise BadInput(f"the archive holds only another archive, '{first.name[:200]}'; unpack it, and pack its images")


def _is_mere_archive(name: str) -> bool:
    return name.endswith(".zip") and not name.endswith(PACKED_ZARR)


def _plain(name: str, suffix: str) -> str:
    """Return the stem of a file name in plain characters, for a folder that people recognise."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem = stem[: -len(suffix)] if stem.lower().endswith(suffix) else stem
    return _UNUSUAL.sub("-", stem).strip(".-")[:60] or "upload"


def _copy(content: BinaryIO, target: Path, max_bytes: int) -> None:
    total = 0
    with target.open("xb") as file:
        while chunk := content.read(_CHUNK):
            total += len(chunk)
            if total > max_bytes:
                raise TooLarge(f"the archive has more than {max_bytes} bytes; upload fewer images at once")
            if shutil.disk_usage(target.parent).free < 2**30:
                raise TooLarge("the disk of the server is nearly full; make room first")
            file.write(chunk)
