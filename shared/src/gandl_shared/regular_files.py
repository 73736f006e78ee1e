"""Opening a file that a user names: a regular file, never a FIFO or a device, and handed on without its name.

A reader that gets only bytes cannot look for other files beside them, whatever the content says.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO

_LINKS = 40
"""Links that are followed one after the other, as many as Linux follows."""


class _Nameless(io.RawIOBase):
    """An open file without `name` and `fileno`."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._file = io.FileIO(descriptor)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview, /) -> int | None:  # type: ignore[override]  # no Buffer in 3.11
        return self._file.readinto(buffer)

    def readall(self) -> bytes:
        return self._file.readall() or b""

    def close(self) -> None:
        self._file.close()
        super().close()


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; the stream has neither a name nor a descriptor.

    Never blocks: a FIFO without a writer is refused like a device, a folder and whatever lies in /proc, open
    descriptors of this process above all. Raises OSError saying so, FileNotFoundError where there is nothing.
    """
    if _leads_into_proc(path):
        raise OSError(errno.EINVAL, "it leads into /proc; give the file itself")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is a folder, a FIFO or a device; give a regular file")
    return io.BufferedReader(_Nameless(descriptor))


def _leads_into_proc(path: Path) -> bool:
    """Whether the path or a link on its way names an entry of /proc.

    The links of /proc/self/fd resolve to the files that are open there, so the last step alone would not tell.
    """
    for _ in range(_LINKS):
        folder = Path(os.path.realpath(path.parent))  # which, unlike `resolve`, bears a circle of links
        if folder.is_relative_to("/proc"):
            return True
        step = folder / path.name
        if not step.is_symlink():
            return False
        path = folder / step.readlink()
    return False  # a circle of links; opening it says so
