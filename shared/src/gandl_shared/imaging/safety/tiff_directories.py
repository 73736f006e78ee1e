"""The chain of directories of a TIFF, walked before a library reads it.

A directory says where its tags and the next directory are. A damaged or hostile file can make a chain without an end, a
hundred thousand pages without pixels, or tags that all claim the same bytes, and a reader that follows them fills time
or memory. The walk reads the entries only, so it costs microseconds per page. Layout: TIFF 6.0, and BigTIFF.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from gandl_shared.errors import InvalidImage, TooLarge

MAX_PAGES = 2**15
"""The largest number of pages of a file. A file with all fields of a plate has a few thousand."""
MAX_TAGS = 512
"""The largest number of tags of one page; TIFFs of instruments have about fifty."""
MAX_SHARED_BYTES = 2**22
"""Bytes that the tags of a file may claim more than once, since pages may share short texts and resolutions."""

_SUB_DIRECTORIES = 330
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


@dataclass(frozen=True, kw_only=True)
class _Form:
    """The sizes and formats of a classic TIFF or a BigTIFF, in its byte order."""

    count: struct.Struct
    entry: struct.Struct
    address: struct.Struct
    first: int


def check_directories(file: BinaryIO, name: str, max_pages: int = MAX_PAGES) -> None:
    """Walk the chain of directories and leave the file at its start.

    Raises InvalidImage for a chain that returns to a directory or a page with more than MAX_TAGS tags, and TooLarge for
    more than `max_pages` pages or for tags that claim far more bytes than the file has. A chain that leaves the file
    ends there; the reader of the pages says what is missing.
    """
    size = file.seek(0, os.SEEK_END)
    form = _form(_read(file, 0, 16), name)
    address = _unpacked(form.address, _read(file, form.first, form.address.size))[0]
    starts: set[int] = set()
    pages = claimed = 0
    while 0 < address < size:
        if address in starts:
            raise InvalidImage(f"the page directories of {name} form a circle; export the image again")
        starts.add(address)
        entries, address = _directory(file, address, form, name)
        pages += 1 + sum(count for tag, _, count, _ in entries if tag == _SUB_DIRECTORIES)
        claimed += sum(_TYPE_BYTES.get(kind, 1) * count for _, kind, count, _ in entries)
        if pages > max_pages:
            raise TooLarge(f"{name} has more than {max_pages} pages; give one file per image")
        if claimed > size + MAX_SHARED_BYTES:
            raise TooLarge(f"the tags of {name} claim {claimed} bytes of a file of {size}; export the image again")
    file.seek(0)


def _form(head: bytes, name: str) -> _Form:
    order = "<" if head[:2] == b"II" else ">"
    (version,) = _unpacked(struct.Struct(f"{order}H"), head[2:4])
    if version == 43:
        count, entry, address = f"{order}Q", f"{order}HHQ8s", f"{order}Q"
        if head[4:8] != struct.pack(f"{order}HH", 8, 0):
            raise InvalidImage(f"{name} has the head of a BigTIFF with wrong sizes; export the image again")
        return _Form(count=struct.Struct(count), entry=struct.Struct(entry), address=struct.Struct(address), first=8)
    count, entry, address = f"{order}H", f"{order}HHI4s", f"{order}I"
    return _Form(count=struct.Struct(count), entry=struct.Struct(entry), address=struct.Struct(address), first=4)


def _directory(file: BinaryIO, address: int, form: _Form, name: str) -> tuple[list[tuple[int, int, int, bytes]], int]:
    """Return the entries (tag, type, count, value) of a directory and the address of the next one, 0 at the end."""
    (count,) = _unpacked(form.count, _read(file, address, form.count.size))
    if count > MAX_TAGS:
        raise InvalidImage(f"a page of {name} has {count} tags, and gandl reads at most {MAX_TAGS}; export it again")
    block = _read(file, address + form.count.size, count * form.entry.size + form.address.size)
    whole = block[: min(count, len(block) // form.entry.size) * form.entry.size]
    (following,) = _unpacked(form.address, block[count * form.entry.size :])
    return list(form.entry.iter_unpack(whole)), following


def _read(file: BinaryIO, address: int, count: int) -> bytes:
    file.seek(address)
    return file.read(count)


def _unpacked(form: struct.Struct, data: bytes) -> tuple[int, ...]:
    """Return the numbers, or zero where the file ends before them."""
    return form.unpack(data) if len(data) == form.size else (0,)
