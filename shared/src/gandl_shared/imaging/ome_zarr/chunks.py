"""Chunks and shards of an array, decoded by zarr from bytes that gandl reads itself.

zarr's own stores follow links and open whatever lies at a key, so it only gets the bytes of regular files below a root.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import numpy as np
import zarr
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

from gandl_shared.errors import InvalidImage
from gandl_shared.files.keys import KeyedFiles
from gandl_shared.imaging.greys import Raw
from gandl_shared.plates.ome_zarr import ArrayMetadata


def read_chunks(files: KeyedFiles, array: ArrayMetadata, plane: tuple[int, ...]) -> Raw:
    """Return the plane [H, W] at the indices `plane` of the leading axes.

    Raises InvalidImage if a chunk is not there. Zarr would take its pixels as zeros, and nothing tells whether a writer
    left out an empty chunk or a copy was interrupted.
    """
    store = _ReadOnlyStore(files, array)
    source = zarr.open_array(store=store, path=array.path, mode="r", zarr_format=3 if array.zarr_format == 3 else 2)
    pixels: Raw = np.asarray(source[plane])
    if store.absent:
        detail = f"{array.path} of {files.label} lacks the chunk {store.absent[0]}, and its pixels would be invented"
        raise InvalidImage(f"{detail}; copy the plate again, or write it with empty chunks (write_empty_chunks)")
    return pixels


class _ReadOnlyStore(Store):
    """The files below an array for zarr, and `absent`: the keys of chunks that are not there."""

    supports_writes = False
    supports_deletes = False
    supports_listing = False

    def __init__(self, files: KeyedFiles, array: ArrayMetadata) -> None:
        super().__init__(read_only=True)
        self._files, self._array = files, array
        self.absent: list[str] = []

    def __eq__(self, value: object) -> bool:
        return self is value

    __hash__ = object.__hash__

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        content = self._content(key, byte_range)
        return None if content is None else prototype.buffer.from_bytes(content)

    def _content(self, key: str, byte_range: ByteRequest | None) -> bytes | None:
        # The metadata that were checked are those that count, even if the file has changed since.
        if key == self._array.key:
            return self._array.content
        if key.rsplit("/", 1)[-1] in (".zattrs", "zarr.json", ".zarray", ".zgroup"):
            return None
        content = self._files.read(key, *_bounds(byte_range))
        if content is None:
            self.absent.append(key)
        return content

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        return self._content(key, None) is not None

    async def set(self, key: str, value: Buffer) -> None:
        raise NotImplementedError("this store is only read")

    async def delete(self, key: str) -> None:
        raise NotImplementedError("this store is only read")

    def list(self) -> AsyncIterator[str]:
        raise NotImplementedError("this store is never listed")

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        raise NotImplementedError("this store is never listed")

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        raise NotImplementedError("this store is never listed")


def _bounds(byte_range: ByteRequest | None) -> tuple[int, int | None]:
    if isinstance(byte_range, RangeByteRequest):
        return byte_range.start, byte_range.end
    if isinstance(byte_range, OffsetByteRequest):
        return byte_range.offset, None
    if isinstance(byte_range, SuffixByteRequest):
        return -byte_range.suffix, None
    return 0, None
