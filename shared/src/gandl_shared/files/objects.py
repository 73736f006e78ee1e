"""Files in an object store, S3 or what speaks its protocol, as readers of a folder see them.

A folder is a prefix of keys, `s3://bucket/plate`. It is listed when a screen is submitted, and never while it runs.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from gandl_shared.errors import BadInput, InvalidImage, Outage
from gandl_shared.files.outages import is_remote_outage
from gandl_shared.files.regular import open_regular
from gandl_shared.files.stamps import Stamp, stamp

MAX_OBJECT_BYTES = 2**31
"""The largest object that is read, in bytes."""

_URL = re.compile(r"(?P<scheme>s3|gs):/+(?P<rest>.+)")


class ObjectEntry(NamedTuple):
    """An object or a folder below a prefix: its own name, and its stamp, which a folder does not have."""

    name: str
    is_folder: bool
    stamp: Stamp | None = None


def is_object(path: Path) -> bool:
    """Return True for a path in an object store, such as `s3:/bucket/plate`, in which one slash was lost."""
    return _URL.fullmatch(str(path)) is not None


def object_below(root: Path, name: str) -> Path | None:
    """Return the path of a name below a prefix, or None if the name could lead out of it."""
    parts = PurePosixPath(name).parts
    is_plain = not PurePosixPath(name).is_absolute() and ".." not in parts and "\\" not in name and "\0" not in name
    return root / name if is_plain else None


def open_file(path: Path) -> BinaryIO:
    """Open a regular file or an object for reading. Raises what `open_regular` and `open_object` raise."""
    return open_object(path) if is_object(path) else open_regular(path)


def is_file(path: Path) -> bool:
    """Return whether a file or an object is there. Raises Outage."""
    return stamp_of(path) is not None if is_object(path) else path.is_file()


def open_object(path: Path) -> BinaryIO:
    """Return the content of an object. One request is sent, and none for a list.

    Raises FileNotFoundError, Outage while the server or its bucket is away or gives no access, and InvalidImage.
    """
    system, address = _system(path)
    try:
        # With an end no object fills the memory; without a start, the client asks for a list where nothing is there.
        content: bytes = system.cat_file(address, start=0, end=MAX_OBJECT_BYTES + 1)
    except Exception as error:  # the clients of fsspec raise errors of their own libraries
        raise _error(error, path) from error
    if len(content) > MAX_OBJECT_BYTES:
        raise InvalidImage(f"image {path.name} has more than {MAX_OBJECT_BYTES} bytes")
    return io.BytesIO(content)


def stamp_of(path: Path) -> Stamp | None:
    """Return the stamp of a file or an object, or None where there is none. Raises Outage for an object store."""
    if not is_object(path):
        return stamp(path)
    system, address = _system(path)
    try:
        entry = system.info(address)
    except FileNotFoundError:
        return None
    except Exception as error:
        raise _error(error, path) from error
    return _stamp(entry) if entry["type"] == "file" else None


def list_objects(folder: Path) -> Iterator[ObjectEntry]:
    """Yield what is directly below a prefix, sorted; nothing where the prefix has no object. Raises Outage."""
    system, address = _system(folder)
    try:
        entries = system.ls(address, detail=True)
    except FileNotFoundError as error:
        if is_remote_outage(error):
            raise _error(error, folder) from error
        return
    except Exception as error:
        raise _error(error, folder) from error
    for entry in sorted(entries, key=lambda each: str(each["name"])):
        name = str(entry["name"]).rstrip("/").removeprefix(f"{address}/")
        # Some programs write an empty object that stands for the folder itself.
        if name and name != address:
            is_folder = entry["type"] == "directory"
            yield ObjectEntry(name, is_folder, None if is_folder else _stamp(entry))


def _system(path: Path) -> tuple[Any, str]:  # Any: fsspec has no types
    url = _URL.fullmatch(str(path))
    if url is None:
        raise ValueError(f"{path} is not in an object store")
    return _open_system(url["scheme"]), url["rest"].rstrip("/")


def _open_system(scheme: str) -> Any:
    # fsspec loads a client for S3, which takes seconds and is of no use for local files.
    from fsspec import filesystem  # noqa: PLC0415

    try:
        # fsspec keeps one client for all calls. A list that is remembered would hide what came later.
        return filesystem(scheme, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        detail = f"{scheme}:// cannot be opened: {error}"
        raise BadInput(f"{detail}; install the client with pip install 'gandl-shared[remote]'") from error


def _stamp(entry: Any) -> Stamp:
    changed = entry.get("LastModified") or entry.get("mtime")
    # A list has fractions of a second, which the head of an object does not have.
    return int(entry["size"]), int(changed.timestamp()) * 10**9 if changed is not None else 0


def _error(error: Exception, path: Path) -> Exception:
    """Return the error that one of the client of an object store means."""
    if isinstance(error, FileNotFoundError) and not is_remote_outage(error):
        return error
    # Credentials that have run out look like an object that is forbidden, so the screen waits for both.
    if isinstance(error, PermissionError) or is_remote_outage(error):
        return Outage(f"{path} cannot be reached for the moment: {type(error).__name__}: {error}")
    return InvalidImage(f"image {path.name} cannot be read: {type(error).__name__}: {error}")
