"""The chunks of a PNG, counted before a library reads them, since a file can have a million that are empty."""

from __future__ import annotations

import os
from typing import BinaryIO

from gandl_shared.errors import TooLarge

MAX_CHUNKS = 512
"""The largest number of chunks, besides one for each kilobyte of the file; programs write pixels in chunks of 8 kB."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_AROUND = 12  # bytes of length, kind and checksum of a chunk


def check_chunks(file: BinaryIO, name: str) -> None:
    """Leave a file at its start after counting its chunks, if it is a PNG. Raises TooLarge for more than its size
    explains."""
    file.seek(0)
    is_png = file.read(len(_SIGNATURE)) == _SIGNATURE
    size = file.seek(0, os.SEEK_END) if is_png else 0
    position, count = len(_SIGNATURE), 0
    while position < size:
        file.seek(position)
        position += int.from_bytes(file.read(4), "big") + _AROUND
        count += 1
        if count > MAX_CHUNKS + size // 1024:
            raise TooLarge(f"{name} is a PNG of more than {count - 1} chunks for {size} bytes; save it again")
    file.seek(0)
