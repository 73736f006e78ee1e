"""An array in Zarr 2 or 3: its shape, type and chunks, and whether its codecs are safe to run.

A codec is a program that the metadata choose. Some would run what a stranger wrote, such as `pickle`, so only those are
accepted that turn bytes into numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gandl_shared.errors import InvalidImage, UnsupportedType
from gandl_shared.files.keys import KeyedFiles, parse_json, read_text
from gandl_shared.plates.ome_zarr.groups import entry, join, objects

MAX_CHUNK_PIXELS = 2**28
"""The largest chunk or shard, in pixels; a larger one would fill the memory."""

_CODECS_2 = frozenset({"blosc", "zlib", "gzip", "zstd", "lz4", "bz2", "lzma", "delta", "shuffle", "crc32", "adler32"})
_CODECS_3 = frozenset({"bytes", "transpose", "blosc", "gzip", "zstd", "crc32c", "sharding_indexed"})
_NUMCODECS = frozenset(f"numcodecs.{name}" for name in _CODECS_2)
_TYPES = {"u1": "uint8", "u2": "uint16", "f4": "float32"}


@dataclass(frozen=True, kw_only=True)
class ArrayMetadata:
    """Shape and type of an array, and the key and bytes of its metadata, which are read only once."""

    path: str
    zarr_format: int
    shape: tuple[int, ...]
    dtype: str
    key: str
    content: bytes


def read_array_metadata(files: KeyedFiles, path: str, zarr_format: int) -> ArrayMetadata:
    """Return the metadata of the array at `path`.

    Raises InvalidImage if there is none or it contradicts itself, UnsupportedType for a codec or type of pixels that
    gandl does not read.
    """
    key = join(path, "zarr.json" if zarr_format == 3 else ".zarray")
    content = read_text(files, key)
    where = f"{path} of {files.label}"
    if content is None:
        raise InvalidImage(f"{where} is not there, although its image names it; copy or export the plate again")
    document = parse_json(content, key, files.label)
    if document.get("zarr_format") != zarr_format:
        raise InvalidImage(f"{where} is not in Zarr {zarr_format} as its image is; export the plate again")
    chunks, dtype = _zarr_3(document, where) if zarr_format == 3 else _zarr_2(document, where)
    shape = _sizes(entry(document, "shape", list, where), where)
    if len(chunks) != len(shape) or math.prod(chunks) > MAX_CHUNK_PIXELS:
        raise InvalidImage(f"{where} has the chunks {list(chunks)[:8]} for the shape {list(shape)[:8]}")
    return ArrayMetadata(path=path, zarr_format=zarr_format, shape=shape, dtype=dtype, key=key, content=content)


def _zarr_2(document: Mapping[str, Any], where: str) -> tuple[tuple[int, ...], str]:
    compressor = entry(document, "compressor", (dict, type(None)), where)
    filters = objects(document, "filters", where, []) if document.get("filters") is not None else []
    for codec in [*filters, *([] if compressor is None else [compressor])]:
        _check_codec(codec.get("id"), _CODECS_2, where)
    dtype = entry(document, "dtype", str, where)
    return _sizes(entry(document, "chunks", list, where), where), _type(_TYPES.get(dtype[1:], dtype), where)


def _zarr_3(document: Mapping[str, Any], where: str) -> tuple[tuple[int, ...], str]:
    grid = entry(document, "chunk_grid", dict, where)
    if grid.get("name") != "regular" or document.get("storage_transformers"):
        raise UnsupportedType(f"{where} has chunks of several sizes or a storage transformer; gandl reads neither")
    _check_codecs(objects(document, "codecs", where), where)
    chunks = entry(entry(grid, "configuration", dict, where), "chunk_shape", list, where)
    return _sizes(chunks, where), _type(entry(document, "data_type", (str, dict), where), where)


def _check_codecs(codecs: Sequence[Mapping[str, Any]], where: str) -> None:
    for codec in codecs:
        _check_codec(codec.get("name"), _CODECS_3 | _NUMCODECS, where)
        if codec.get("name") == "sharding_indexed":
            inner = entry(codec, "configuration", dict, where)
            _check_codecs(objects(inner, "codecs", where), where)
            _check_codecs(objects(inner, "index_codecs", where, []), where)
            _sizes(entry(inner, "chunk_shape", list, where), where)


def _check_codec(name: object, codecs: frozenset[str], where: str) -> None:
    if name not in codecs:
        raise UnsupportedType(f"{where} uses the codec {str(name)[:40]}; gandl reads {', '.join(sorted(codecs))}")


def _sizes(values: Sequence[object], where: str) -> tuple[int, ...]:
    sizes = tuple(value for value in values if isinstance(value, int) and not isinstance(value, bool) and value > 0)
    if len(sizes) != len(values):
        raise InvalidImage(f"{where} has the sizes {str(values)[:60]}, which are not all numbers above 0")
    return sizes


def _type(dtype: object, where: str) -> str:
    if dtype not in _TYPES.values():
        raise UnsupportedType(f"{where} has pixels of type {str(dtype)[:40]}; gandl reads {', '.join(_TYPES.values())}")
    return str(dtype)
