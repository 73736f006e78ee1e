"""Links that lead out of the images folder."""

from __future__ import annotations

from pathlib import Path

from gandl_shared.files.references import parse_reference
from gandl_shared.plates.layouts.file_columns import inside


class LinkCheck:
    """Tells which files below a folder are links out of it.

    Each folder is resolved once, and a file only if it is a link: to resolve every path of a large screen takes ten
    calls of the file system for each.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, bool] = {}

    def leads_out(self, name: str) -> bool:
        """Return whether a file, or a reference into one, leads out of the folder; the name is relative to it."""
        file = parse_reference(name).file
        folder = file.rpartition("/")[0]
        if folder not in self._folders:
            self._folders[folder] = inside(self._root, folder or ".") is not None
        if self._folders[folder] and not self._root.joinpath(file).is_symlink() and ".." not in file:
            return False
        return inside(self._root, name) is None
