"""Opening a file that a user names: only a regular file, never a FIFO or a device, and without passing its name on.

A reader that gets only bytes cannot look for other files in the same folder, whatever the content says.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO

from gandl_shared.errors import GandlError, NotFound

_MAX_LINKS = 40
"""The longest chain of links that is followed, as in Linux."""


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
    """Open a regular file for reading. The stream has neither a name nor a descriptor.

    This never blocks: a FIFO without a writer is refused, as are devices, folders and everything in /proc, especially
    the open descriptors of this process. Raises OSError with the reason, FileNotFoundError if there is no such file.
    """
    if _leads_into_proc(path):
        raise OSError(errno.EINVAL, "it leads into /proc; give the file itself")
    # Without O_NONBLOCK, the opening of a FIFO would wait until some program writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    # The open file is tested and not its path, because the path may lead to another file a moment later.
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is a folder, a FIFO or a device; give a regular file")
    return io.BufferedReader(_Nameless(descriptor))


def _leads_into_proc(path: Path) -> bool:
    """Return True if the path, or a link on the way to its file, names an entry of /proc.

    The links in /proc/self/fd resolve to the open files themselves, so the last step alone would not show it.
    """
    for _ in range(_MAX_LINKS):
        folder = Path(os.path.realpath(path.parent))  # unlike `resolve`, this accepts a circle of links
        if folder.is_relative_to("/proc"):
            return True
        step = folder / path.name
        if not step.is_symlink():
            return False
        path = folder / step.readlink()
    return False  # the links form a circle, which the attempt to open reports


def read_regular(path: Path, label: str, max_bytes: int, error: type[GandlError]) -> bytes:
    """Return the content of a regular file, which `label` names in messages, such as "model file".

    Raises NotFound if there is no such file, and `error` if it cannot be read or has more than `max_bytes`.
    """
    try:
        with open_regular(path) as file:
            # A read of the largest size would reserve all of it, however small the file.
            size = file.seek(0, os.SEEK_END)
            if size > max_bytes:
                raise error(f"the {label} {path} has {size} bytes, so it is no {label}")
            file.seek(0)
            return file.read(max_bytes)
    except FileNotFoundError as missing:
        raise NotFound(f"there is no {label} {path}") from missing
    except OSError as reason:
        raise error(f"the {label} {path} cannot be read: {reason.strerror}") from reason
