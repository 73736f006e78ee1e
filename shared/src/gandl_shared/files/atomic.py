"""Write a file or a folder so that its name shows either the old content or all of the new content.

The writers work beside the target, under a hidden temporary name in the same folder, flush the data to the disk and
then rename. A reader never sees half of a file, and a program that is killed leaves the old content where it was.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY_PREFIX = ".tmp-"
"""The names of unfinished files and folders begin with this; whoever lists a folder passes them over."""

_FOLDER_FLUSH_NOT_SUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Yield an open file that takes the name `path` at the end of the block.

    An error inside the block removes the new file and leaves an old one as it was. The folder of `path` must exist.
    Raises OSError where the file cannot be written.
    """
    temporary = _temporary_beside(path)
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            # Without this flush, a power cut after the rename could leave an empty file under the name.
            os.fsync(file.fileno())
        temporary.replace(path)
        # The new name belongs to the folder, and a flush of the file does not include it.
        _flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the name `path` at the end of the block; an old folder of that name is removed.

    An error inside the block removes the new folder and leaves an old one as it was. The parent of `path` must exist.
    Raises OSError where the folder cannot be written or `path` is a file.
    """
    target = path.resolve()  # a link to a folder keeps its place, and what it leads to is replaced
    temporary = _temporary_beside(target)
    temporary.mkdir()
    try:
        yield temporary
        _flush_tree(temporary)
        _replace_folder(temporary, target)
        _flush_folder(target.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Remove the unfinished files and folders that writers which were killed left in `folder`, if it exists.

    Call it only where no other program writes into the folder.
    """
    for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
        # What a link leads to belongs to somebody else, so only the link itself is removed.
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


Content = bytes | Callable[[BinaryIO], None]
"""The content of a file, or a function that writes it, so that a large one is never held as a whole."""


def replace_files(folder: Path, contents: Mapping[str, Content]) -> None:
    """Write several files into a folder; their names may have subfolders, and other files in the folder stay.

    All files are on the disk before the first one is renamed, so that an error or a crash until then changes nothing.
    They are then renamed one after the other in the order of `contents`. A crash in between leaves some old and some
    new files, each of them whole, because no file system renames several files at once. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(folder / "files")
    temporary.mkdir()
    try:
        for name, content in contents.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            with (temporary / name).open("xb") as file:
                _write(file, content)
        _flush_tree(temporary)
        for name in contents:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).replace(folder / name)
        for parent in {(folder / name).parent for name in contents}:
            _flush_folder(parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(file: BinaryIO, content: Content) -> None:
    if isinstance(content, bytes):
        file.write(content)
    else:
        content(file)


def _temporary_beside(path: Path) -> Path:
    """A new hidden name in the same folder, because only a rename within one file system is atomic."""
    return path.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}")


def _replace_folder(new: Path, target: Path) -> None:
    # The operating system replaces only empty folders, so an old folder steps aside first and returns on failure.
    aside = _temporary_beside(target)
    if target.is_dir():
        target.replace(aside)
    try:
        new.rename(target)
    except OSError:
        if aside.is_dir():
            aside.replace(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _flush_tree(folder: Path) -> None:
    for entry in sorted(folder.rglob("*"), reverse=True):
        if entry.is_dir():
            _flush_folder(entry)
        elif entry.is_file():
            _flush(entry)
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    """Write the names of a folder's files to the disk. Some network file systems cannot; their rename is enough."""
    try:
        _flush(folder)
    except OSError as error:
        if error.errno not in _FOLDER_FLUSH_NOT_SUPPORTED:
            raise


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
