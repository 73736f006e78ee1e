"""Looking into the folders below the image root: names only, and never anything outside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gandl_shared.errors import Forbidden, NotFound
from gandl_shared.files.atomic import TEMPORARY_PREFIX
from gandl_shared.files.keys import ARCHIVES, IMAGE_SUFFIXES
from gandl_shared.files.objects import is_object, list_objects
from gandl_shared.jobs import resolve_folder

from gandl_analysis.formats.output_folder import EMBEDDINGS, WELLS

MAX_ENTRIES = 20_000
MAX_SHOWN = 100
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")


@dataclass(frozen=True, kw_only=True)
class FolderView:
    """A folder below the image root. `path` is relative to the root, and empty for the root itself.

    `folders` and `tables` (files that may be plate maps) are names, in order; at most MAX_SHOWN of each, and the counts
    are complete. `images` counts image files. `is_output` says that `gandl screen` wrote the folder.
    """

    path: str
    folders: tuple[str, ...]
    folder_count: int
    tables: tuple[str, ...]
    table_count: int
    images: int
    is_output: bool
    is_cut: bool

    @property
    def parents(self) -> tuple[tuple[str, str], ...]:
        """Name and path of every folder above this one and of itself, from the top."""
        parts = PurePosixPath(self.path).parts
        return tuple((part, "/".join(parts[: i + 1])) for i, part in enumerate(parts))

    def below(self, name: str) -> str:
        """Return the path of an entry of this folder."""
        return f"{self.path}/{name}" if self.path else name


def view_folder(root: Path, path: str) -> FolderView:
    """Return what a folder below the root holds. Raises Forbidden for a path that leads out, NotFound.

    Hidden entries are left out, and so are links that lead out of the root.
    """
    real = root if is_object(root) else root.resolve()
    folder = real if not path.strip("/") else resolve_folder(root, path)
    if not is_object(folder) and not folder.is_dir():
        raise NotFound(f"'{path[:200]}' is no folder")
    folders, tables, images, entry_count = [], [], 0, 0
    names = set()
    try:
        for name, is_folder in _entries(folder, real):
            entry_count += 1
            if entry_count > MAX_ENTRIES:
                break
            if name.startswith((".", TEMPORARY_PREFIX)):
                continue
            lower = name.lower()
            names.add(name)
            if is_folder or lower.endswith(ARCHIVES):
                folders.append(name)
            elif lower.endswith(TABLE_SUFFIXES):
                tables.append(name)
            elif lower.endswith(IMAGE_SUFFIXES):
                images += 1
    except OSError as error:
        raise Forbidden(f"the folder '{path[:200]}' cannot be read: {error.strerror}") from error
    relative = "" if folder == real else str(folder.relative_to(real))
    return FolderView(
        path=relative,
        folders=tuple(sorted(folders, key=str.casefold)[:MAX_SHOWN]),
        folder_count=len(folders),
        tables=tuple(sorted(tables, key=str.casefold)[:MAX_SHOWN]),
        table_count=len(tables),
        images=images,
        is_output={EMBEDDINGS, WELLS} <= names,
        is_cut=entry_count > MAX_ENTRIES,
    )


def _entries(folder: Path, root: Path) -> Iterator[tuple[str, bool]]:
    """Yield the names in a folder and whether each is a folder, without links that lead out of the root."""
    if is_object(folder):
        yield from ((entry.name, entry.is_folder) for entry in list_objects(folder))
        return
    with os.scandir(folder) as entries:
        yield from ((entry.name, entry.is_dir()) for entry in entries if _is_inside(Path(entry.path), root))


def _is_inside(path: Path, root: Path) -> bool:
    if not path.is_symlink():
        return True
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # the links form a circle
        return False
