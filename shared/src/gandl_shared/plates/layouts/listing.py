"""Listing a folder once, and leaving out what is never a plate image.

Thumbnails, hidden files, the leftovers of archives and calibration images of instruments carry the suffix of an
image, and some carry the very name of one. They are counted by reason, so that a report can say what was left out.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gandl_shared.errors import BadInput
from gandl_shared.files.keys import ARCHIVES, IMAGE_SUFFIXES, is_hierarchy, is_zarr
from gandl_shared.files.objects import is_object, list_objects

_THUMBNAIL = re.compile(r"(_thumb|[._-]thumbnail)", re.IGNORECASE)
# Yokogawa writes shading (SC_) and dark (DC_) images beside the measurement.
_CALIBRATION = re.compile(r"^(SC|DC)_.*CAM?\d|^(SC|DC)_.*_CH\d+\.|^flat_?field|^dark_?(field|frame)", re.IGNORECASE)
_ZARR_MARKS = frozenset({".zgroup", ".zarray", "zarr.json"})
_HIDDEN_FOLDERS = frozenset({"__macosx", "@eadir", "$recycle.bin", "system volume information"})


@dataclass(frozen=True)
class Listing:
    """The files below a folder by their names relative to it, sorted: images and others.

    `skipped` counts what is left out, by reason. `zarrs` are the folders that are a Zarr hierarchy, whose files are not
    listed; `.` is the folder itself.
    """

    root: Path
    images: tuple[str, ...]
    others: tuple[str, ...]
    skipped: Mapping[str, int]
    zarrs: tuple[str, ...] = ()


def list_folder(root: Path) -> Listing:
    """List all files below a folder in one walk. Raises BadInput if there is no image among them.

    An archive, and a URL but for a folder of an object store, is not listed: it is the root of a Zarr hierarchy.
    """
    if is_zarr(root) if is_object(root) else is_hierarchy(root):
        return Listing(root, (), (), {}, (".",))
    images, others, zarrs, skipped = [], [], [], Counter[str]()
    for name in _walk(root, ""):
        if name.endswith("/"):
            zarrs.append(name.rstrip("/"))
        elif not name.lower().endswith(IMAGE_SUFFIXES):
            others.append(name)
        elif reason := reason_to_skip(name):
            skipped[reason] += 1
        else:
            images.append(name)
    if not images and not zarrs and not any(name.lower().endswith(ARCHIVES) for name in others):
        left_out = f"; {sum(skipped.values())} were left out as {', '.join(skipped)}" if skipped else ""
        raise BadInput(f"folder {root} holds no images ({', '.join(IMAGE_SUFFIXES)}){left_out}")
    return Listing(root, tuple(sorted(images)), tuple(sorted(others)), dict(skipped), tuple(sorted(zarrs)))


def reason_to_skip(name: str) -> str | None:
    """Return why an image file is no plate image, or None. `name` is relative to the images folder."""
    path = PurePosixPath(name)
    if any(part.startswith(".") or part.lower() in _HIDDEN_FOLDERS for part in path.parts):
        return "hidden files"
    if _THUMBNAIL.search(path.name):
        return "thumbnails"
    return "calibration images" if _CALIBRATION.search(path.name) else None


def _walk(root: Path, folder: str) -> Iterator[str]:
    """Yield the files below `root / folder`, and a Zarr hierarchy as the name of its folder with a `/` at the end.

    Links to folders are not followed, so a circle of links ends.
    """
    entries = _entries(root / folder)
    # A hierarchy may have a million chunks, and none of them is an image by itself.
    if any(name in _ZARR_MARKS for name, _ in entries):
        yield f"{folder or '.'}/"
        return
    for entry, is_folder in entries:
        name = f"{folder}/{entry}" if folder else entry
        if is_folder:
            yield from _walk(root, name)
        else:
            # A FIFO or a device under the name of an image must not vanish: the reader refuses it by its name.
            yield name


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Return the names in a folder, sorted, and whether each is a folder."""
    if is_object(folder):
        return [(entry.name, entry.is_folder) for entry in list_objects(folder)]
    # os.scandir knows the type of an entry without a further call, which matters for 100,000 files on a network share.
    with os.scandir(folder) as scan:
        return sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in scan)
