"""Which folders a request may name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from gandl_shared.errors import Forbidden, NotFound
from gandl_shared.plates import inside


def resolve_folder(root: Path, name: str) -> Path:
    """The folder `name` below `root`, links followed. Raises Forbidden where it leads out, NotFound."""
    path = _below(root, name)
    if not _is(Path.is_dir, path):
        raise NotFound(f"folder '{_shown(name)}' is not there")
    return path


def resolve_file(root: Path, name: str) -> Path:
    """The file `name` below `root`, links followed. Raises Forbidden where it leads out, NotFound."""
    path = _below(root, name)
    if not _is(Path.is_file, path):
        raise NotFound(f"file '{_shown(name)}' is not there")
    return path


def _below(root: Path, name: str) -> Path:
    """An absolute path is allowed where it lies below the root; a `..` never is, even one that would stay inside."""
    real = root.resolve()
    relative = name
    if PurePosixPath(name).is_absolute():
        given = Path(name)
        base = root.absolute() if given.is_relative_to(root.absolute()) else real
        relative = str(given.relative_to(base)) if given.is_relative_to(base) else ""
    try:
        found = inside(real, relative) if relative and ".." not in PurePosixPath(name).parts else None
    except (OSError, RuntimeError) as error:  # a loop of links
        raise NotFound(f"'{_shown(name)}' cannot be followed: {error}") from error
    if found is None:
        raise Forbidden(f"'{_shown(name)}' is outside the image folder of this service; give a path below it")
    return found


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    """A name that no file system takes (too long) is the name of nothing."""
    try:
        return kind(path)
    except OSError:
        return False


def _shown(name: str) -> str:
    return name if len(name) <= 200 else f"{name[:200]}…"
