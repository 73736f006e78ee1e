"""Small files under keys such as `A/1/0/zarr.json`: in a local folder, in a ZIP archive, or at a URL.

A key is always below the root. Nothing leads out of it: no `..`, no absolute path, and no link of a local folder.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from gandl_shared.errors import BadInput, InvalidImage, NotFound, Outage
from gandl_shared.files.archives import DAMAGED
from gandl_shared.files.outages import is_remote_outage, outage
from gandl_shared.files.regular import open_regular

MAX_BYTES = 2**31
"""The largest part of a file that is read at once, in bytes."""
MAX_TEXT_BYTES = 2**28
"""The largest file of metadata that is parsed; the metadata of a plate of 1536 wells have about 20 MB in one file."""
ARCHIVES = (".zip", ".ozx")
IMAGE_SUFFIXES = (".tif", ".tiff", ".png")

_URL = re.compile(r"(?P<scheme>https?|s3|gs):/+(?P<rest>.+)")
_ROOT_MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
_TEXT_KEYS = (".zattrs", ".zgroup", ".zarray", "zarr.json", ".zmetadata")


class KeyedFiles(Protocol):
    """Files under keys. `label` is the name of the root for messages."""

    @property
    def label(self) -> str:
        """The name of the root."""

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes | None:
        """Return the bytes `start:stop` of a file, as a slice does, or None if there is no such file.

        Raises InvalidImage if the key leads out of the root or to something that is no regular file.
        """


def is_remote(path: Path) -> bool:
    """Return True for a URL that became a path, such as `https:/host/plate.zarr`, in which one slash was lost."""
    return _URL.fullmatch(str(path)) is not None


def is_hierarchy(path: Path) -> bool:
    """Return True for a URL and for a file that is an archive by its name: what stands for a folder of keyed files."""
    return is_remote(path) or (path.name.lower().endswith(ARCHIVES) and path.is_file())


def is_zarr(path: Path) -> bool:
    """Return True for the root of a Zarr hierarchy. Raises as `open_keys` does, and Outage."""
    files = open_keys(path)
    return any(files.read(mark) is not None for mark in _ROOT_MARKS)


def open_keys(path: Path) -> KeyedFiles:
    """Return the files of a folder, an archive or a URL. Raises NotFound, and BadInput for a damaged archive."""
    url = _URL.fullmatch(str(path))
    if url is not None:
        return _remote(f"{url['scheme']}://{url['rest'].rstrip('/')}")
    if path.is_dir():
        return FolderKeys(path)
    try:
        state = path.stat()
    except OSError as error:
        raise NotFound(f"{path.name} is not there") from error
    return _archive(path, state.st_mtime_ns, state.st_size)


def check_key(key: str, label: str) -> str:
    """Return a key of plain names. Raises InvalidImage if it could lead out of the root."""
    parts = key.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise InvalidImage(f"{label} names '{key[:200]}', which is no path below it; export the plate again")
    return key


class FolderKeys:
    """The files of a local folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._real = folder, folder.resolve()
        self.label = self._real.name

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes | None:
        """Return bytes of a file, see KeyedFiles."""
        path = self._real / check_key(key, self.label)
        try:
            if not path.resolve().is_relative_to(self._real):
                raise InvalidImage(f"{key} in {self.label} is a link out of it; put the file itself there")
            with open_regular(path) as file:
                size = file.seek(0, 2)
                first, last, _ = slice(start, stop).indices(size)
                _check_size(last - first, key, self.label)
                file.seek(first)
                return file.read(max(last - first, 0))
        except (FileNotFoundError, NotADirectoryError) as error:
            # A chunk that was never written stands for background, but only while its plate is there.
            away = outage(error, path, folder=self._real)
            if away is not None:
                raise away from error
            return None
        except OSError as error:
            raise outage(error, path) or InvalidImage(f"{key} in {self.label} cannot be read: {error}") from error
        except RuntimeError as error:  # it comes from links that form a circle
            raise InvalidImage(f"{key} in {self.label} cannot be read: {error}") from error


class ArchiveKeys:
    """The files of a ZIP archive. They may be below one folder, as where a folder was packed with its name."""

    def __init__(self, path: Path) -> None:
        self.label = path.name
        try:
            self._archive = zipfile.ZipFile(open_regular(path))
            self._entries = {info.filename: info for info in self._archive.infolist() if not info.is_dir()}
        except (OSError, *DAMAGED) as error:
            raise BadInput(f"{path.name} cannot be opened as a ZIP archive: {error}") from error
        tops = {name.split("/", 1)[0] for name in self._entries if "/" in name}
        files_at_top = any("/" not in name for name in self._entries)
        self._prefix = f"{tops.pop()}/" if len(tops) == 1 and not files_at_top else ""

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes | None:
        """Return bytes of a file, see KeyedFiles."""
        entry = self._entries.get(self._prefix + check_key(key, self.label))
        if entry is None:
            return None
        first, last, _ = slice(start, stop).indices(entry.file_size)
        _check_size(last - first, key, self.label)
        try:
            with self._archive.open(entry) as file:
                file.seek(first)
                return file.read(max(last - first, 0))
        except (OSError, *DAMAGED) as error:
            raise InvalidImage(f"{key} in {self.label} cannot be read: {error}") from error


class RemoteKeys:
    """The files below a URL, which are asked for by their keys and never listed."""

    def __init__(self, url: str) -> None:
        # fsspec loads a client for HTTP or S3, which takes seconds and is of no use for local files.
        from fsspec.core import url_to_fs  # noqa: PLC0415

        try:
            self._system, self._root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            detail = f"{url} cannot be opened: {error}"
            raise BadInput(f"{detail}; install the client with pip install 'gandl-shared[remote]'") from error
        self.label = url.rsplit("/", 1)[-1]
        # A server of HTTP, and the client before it, would take `%2e%2e` for `..`, and `?` for the end of the path.
        self._spell = quote if url.startswith("http") else str
        self._witness: str | None = None
        self._texts: Mapping[str, bytes] | None = None
        self._texts = _consolidated(self)

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes | None:
        """Return bytes of a file, see KeyedFiles."""
        check_key(key, self.label)
        if self._texts is not None and key.rsplit("/", 1)[-1] in _TEXT_KEYS:
            return self._texts.get(key)
        address = f"{self._root}/{self._spell(key)}"
        try:
            content = self._part(address, start, stop)
        except Exception as error:  # the clients of fsspec raise errors of their own libraries
            # S3 without the right to list forbids what is not there.
            if isinstance(error, (FileNotFoundError, PermissionError)) and not is_remote_outage(error):
                self._check_presence()
                return None
            detail = f"{key} of {self.label} cannot be read: {type(error).__name__}: {error}"
            raise (Outage if is_remote_outage(error) else InvalidImage)(detail) from error
        self._witness = self._witness or address
        return content

    def _check_presence(self) -> None:
        """Raise Outage if a file that was there is not there now.

        A chunk that was never written stands for background. Without its bucket, or after the credentials have run out,
        every chunk looks like that, and the images would be black.
        """
        if self._witness is None:
            return
        try:
            self._system.info(self._witness)
        except Exception as error:
            detail = f"{self.label} cannot be reached for the moment: {type(error).__name__}: {error}"
            raise Outage(detail) from error

    def _part(self, address: str, start: int, stop: int | None) -> bytes:
        if not start and stop in (None, MAX_TEXT_BYTES + 1):
            # Without a start, the client of S3 asks for a list where the file is not there.
            whole = {"start": 0} if "s3" in self._system.protocol else {}
            content: bytes = self._system.cat_file(address, **whole)
            return content[:stop]
        size = self._system.info(address)["size"]
        first, last, _ = slice(start, stop).indices(size)
        content = self._system.cat_file(address, start=first, end=last)
        # Simple servers of files ignore the range of a request and send everything.
        if len(content) == size:
            content = content[first:last]
        if len(content) != last - first:
            raise ConnectionError(f"the server sent {len(content)} bytes in place of {last - first}")
        return content


def _check_size(size: int, key: str, label: str) -> None:
    if size > MAX_BYTES:
        raise InvalidImage(f"{key} in {label} has {size} bytes; gandl reads at most {MAX_BYTES} at once")


def _consolidated(files: KeyedFiles) -> Mapping[str, bytes] | None:
    """Return all metadata of a hierarchy from its one file of them, or None if it has none.

    Zarr 2 keeps them in `.zmetadata`, and Zarr 3 in the `zarr.json` of the root.
    """
    for key in ("zarr.json", ".zmetadata"):
        content = read_text(files, key)
        document = parse_json(content, key, files.label) if content is not None else {}
        nodes: Any = document.get("metadata") if key == ".zmetadata" else _inline(document)
        if isinstance(nodes, dict):
            suffix = "/zarr.json" if key == "zarr.json" else ""
            texts = {f"{path}{suffix}": json.dumps(node).encode() for path, node in nodes.items()}
            return texts | ({key: content} if content is not None else {})
    return None


def _inline(document: Mapping[str, Any]) -> object:
    consolidated = document.get("consolidated_metadata")
    return consolidated.get("metadata") if isinstance(consolidated, dict) else None


def read_text(files: KeyedFiles, key: str) -> bytes | None:
    """Return a file of metadata, or None if there is no such file. Raises InvalidImage if it is too large."""
    content = files.read(key, 0, MAX_TEXT_BYTES + 1)
    if content is not None and len(content) > MAX_TEXT_BYTES:
        raise InvalidImage(f"{key} in {files.label} has more than {MAX_TEXT_BYTES} bytes, too many for metadata")
    return content


def parse_json(content: bytes, key: str, label: str) -> Mapping[str, Any]:
    """Return the object of a JSON file. Raises InvalidImage if it holds something else."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidImage(f"{key} in {label} is no valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidImage(f"{key} in {label} is no JSON object; export the plate again")
    return document


@lru_cache(maxsize=4)
def _archive(path: Path, modified_ns: int, size: int) -> ArchiveKeys:
    """Keep the list of an archive, which takes long to read; a file that changed meanwhile is opened again."""
    return ArchiveKeys(path)


@lru_cache(maxsize=4)
def _remote(url: str) -> RemoteKeys:
    return RemoteKeys(url)
