"""Folders and files that a request may name: only those below the image folder of the service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gandl_shared.errors import Forbidden, GandlError, NotFound
from gandl_shared.files.keys import is_hierarchy
from gandl_shared.files.objects import is_file, is_object, list_objects, object_below
from gandl_shared.plates import inside


def resolve_folder(root: Path, name: str) -> Path:
    """Return the folder `name` below `root` with links resolved; an archive of a plate counts as one.

    Raises Forbidden if it leads out, NotFound.
    """
    path = _below(root, name)
    if is_object(path):
        if next(list_objects(path), None) is None:
            raise NotFound(f"folder '{_short(name)}' is not there")
        return path
    if not _exists(Path.is_dir, path) and not _exists(is_hierarchy, path):
        raise NotFound(f"folder '{_short(name)}' is not there")
    return path


def resolve_file(root: Path, name: str) -> Path:
    """Return the file `name` below `root` with links resolved. Raises Forbidden if it leads out, NotFound."""
    path = _below(root, name)
    if not _exists(is_file, path):
        raise NotFound(f"file '{_short(name)}' is not there")
    return path


@contextmanager
def names_below(root: Path) -> Iterator[None]:
    """Let the errors of the block name files as a request does, from `root` on, which clients should not learn."""
    try:
        yield
    except GandlError as error:
        forms = {str(root)} if is_object(root) else {str(root.absolute()), str(root.resolve())}
        pattern = re.compile("|".join(rf"{re.escape(form)}(/|(?![\w.-]))" for form in forms if form != "/") or "(?!)")

        def below(text: str) -> str:
            return pattern.sub(lambda match: "" if match[0].endswith("/") else "the image folder", text)

        error.detail = below(error.detail)
        error.problems = tuple(
            replace(each, detail=below(each.detail), file=each.file and below(each.file)) for each in error.problems
        )
        error.args = (error.detail,)
        raise


def _below(root: Path, name: str) -> Path:
    """Resolve a name. An absolute path may lead below the root; a `..` is refused even if it would stay inside."""
    if is_object(root):
        key = object_below(root, name)
        if key is None or key == root:
            raise _outside(name)
        return key
    real = root.resolve()
    relative = name
    if PurePosixPath(name).is_absolute():
        path = Path(name)
        # A user may write the root with its links or without them, so both forms are accepted.
        base = root.absolute() if path.is_relative_to(root.absolute()) else real
        relative = str(path.relative_to(base)) if path.is_relative_to(base) else ""
    try:
        target = inside(real, relative) if relative and ".." not in PurePosixPath(name).parts else None
    except (OSError, RuntimeError) as error:  # the links form a circle
        raise NotFound(f"'{_short(name)}' cannot be followed: {error}") from error
    if target is None:
        raise _outside(name)
    return target


def _outside(name: str) -> Forbidden:
    return Forbidden(f"'{_short(name)}' is outside the image folder of this service; give a path below it")


def _exists(kind: Callable[[Path], bool], path: Path) -> bool:
    """Return `kind(path)`. A name that is too long for the file system is not there."""
    try:
        return kind(path)
    except OSError:
        return False


def _short(name: str) -> str:
    return name if len(name) <= 200 else f"{name[:200]}…"
