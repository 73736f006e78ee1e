"""All files of a screen as one ZIP archive, which is sent while it is made: no copy of it is held or stored."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from gandl_analysis.formats.exports.source import Content

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The date of every member, so that equal results give equal archives; ZIP has no earlier one."""
_PART_BYTES = 2**16


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of an archive."""

    name: str
    content: Content


class _Outlet(io.RawIOBase):
    """A file that is only written; what was written is taken away in pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        part = bytes(memoryview(data))  # type: ignore[arg-type]  # no Buffer in 3.11
        self._written += part
        return len(part)

    @property
    def waiting_bytes(self) -> int:
        """How much was written and not yet taken."""
        return len(self._written)

    def take(self) -> bytes:
        """Return and forget what was written."""
        part = bytes(self._written)
        self._written.clear()
        return part


def zip_parts(members: Iterable[Member]) -> Iterator[bytes]:
    """Yield an archive of the members in pieces. `members` may be a generator that makes one file after the other.

    An archive that breaks off has no directory at its end, so that every program refuses it.
    """
    outlet = _Outlet()
    with ZipFile(outlet, "w") as archive:
        for member in members:
            entry = ZipInfo(member.name, _EARLIEST)
            entry.compress_type = ZIP_DEFLATED
            # Without a size beforehand, a member beyond 4 GiB needs the long form from its beginning.
            with archive.open(entry, "w", force_zip64=True) as file:
                for part in (member.content,) if isinstance(member.content, bytes) else member.content:
                    file.write(part)
                    if outlet.waiting_bytes >= _PART_BYTES:
                        yield outlet.take()
            yield outlet.take()
    yield outlet.take()
