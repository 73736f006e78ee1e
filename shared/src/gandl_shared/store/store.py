"""`Store`: the files of all screens, in a folder or in any storage that fsspec supports (S3, memory).

    ROOT/<screen>/vectors/<batch>.parquet      one file per batch
    ROOT/<screen>/thumbnails/<batch>.parquet   small pictures, one file per batch
    ROOT/<screen>/documents/<name>             results of analyses

A file is always complete, and writing it again replaces it. Therefore two workers with the same batch do no harm.
Methods raise Outage while the disk of the store is full or away.
"""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from gandl_shared.errors import Malformed, NotFound, Outage
from gandl_shared.files.atomic import TEMPORARY_PREFIX, atomic_file
from gandl_shared.files.outages import low_space, outage
from gandl_shared.store.profiles import Profiles, join_profiles, read_batch, write_batch
from gandl_shared.store.thumbnails import Thumbnail, read_thumbnails, write_thumbnails

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Store:
    """Vectors and results. Threads and processes may share it.

    Ids and names are checked so that no path can lead out of the root; a wrong one raises Malformed.
    """

    def __init__(self, root: str | Path) -> None:
        filesystem, path = fsspec.core.url_to_fs(str(root))
        self._fs: Any = filesystem  # fsspec has no types
        self._root: str = path.rstrip("/")
        self._device: int | None = None

    def prepare(self) -> None:
        """Make the folder of the store, and remember its disk. Raises Outage where that is impossible."""
        if isinstance(self._fs, LocalFileSystem):
            try:
                Path(self._root).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Outage(f"the store {self._root} cannot be made: {error.strerror}") from error
            self._check_root()

    def trouble(self) -> str | None:
        """Return why nothing can be written now, or None if it can; an object store is not asked."""
        if not isinstance(self._fs, LocalFileSystem):
            return None
        try:
            self._check_root()
            if (reason := low_space(Path(self._root))) is not None:
                return reason
            # A quota or a file system that is read-only shows only when something is written.
            probe = Path(self._root, f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}")
            try:
                probe.write_bytes(b"probe")
            finally:
                probe.unlink(missing_ok=True)
        except (OSError, Outage) as error:
            return error.detail if isinstance(error, Outage) else f"the store {self._root}: {error.strerror}"
        return None

    def put_vectors(self, screen_id: str, batch: int, vectors: Profiles) -> None:
        """Write or replace the vectors of a batch; `batch` is its number in plate map order."""
        buffer = io.BytesIO()
        write_batch(buffer, vectors)
        self._write(self._batch_path(screen_id, "vectors", batch), buffer.getvalue())

    def vectors(self, screen_id: str, batch: int) -> Profiles | None:
        """Return the vectors of a batch, or None if none were written."""
        content = self._read(self._batch_path(screen_id, "vectors", batch))
        return None if content is None else read_batch(io.BytesIO(content))

    def profiles(self, screen_id: str) -> Profiles:
        """Return all vectors of a screen in the order of plate map, site and tile. Raises NotFound."""
        folder = f"{self._folder(screen_id)}/vectors"
        # The numbers in the names have leading zeros, so the order of the names is the order of the plate map.
        names = sorted(n for n in self._list_files(folder) if n.endswith(".parquet"))
        parts = [read_batch(io.BytesIO(self._cat(name))) for name in names]
        if not any(len(part) for part in parts):
            self._check_root()
            raise NotFound(f"screen '{screen_id}' has no vectors yet")
        return join_profiles([part for part in parts if len(part)])

    def put_thumbnails(self, screen_id: str, batch: int, thumbnails: Iterable[Thumbnail]) -> None:
        """Write or replace the thumbnails of a batch."""
        buffer = io.BytesIO()
        write_thumbnails(buffer, thumbnails)
        self._write(self._batch_path(screen_id, "thumbnails", batch), buffer.getvalue())

    def thumbnails(self, screen_id: str, batch: int) -> tuple[Thumbnail, ...]:
        """Return the thumbnails of a batch; there are none where its images were embedded by an older version."""
        content = self._read(self._batch_path(screen_id, "thumbnails", batch))
        return () if content is None else read_thumbnails(io.BytesIO(content))

    def has_thumbnails(self, screen_id: str) -> bool:
        """Return whether any thumbnail of a screen is stored."""
        return any(name.endswith(".parquet") for name in self._list_files(f"{self._folder(screen_id)}/thumbnails"))

    def all_thumbnails(self, screen_id: str) -> Iterator[Thumbnail]:
        """Yield the thumbnails of a screen in the order of plate map and site, batch by batch."""
        folder = f"{self._folder(screen_id)}/thumbnails"
        for name in sorted(n for n in self._list_files(folder) if n.endswith(".parquet")):
            yield from read_thumbnails(io.BytesIO(self._cat(name)))

    def put_document(self, screen_id: str, name: str, content: bytes | str) -> None:
        """Write or replace a document; text as UTF-8. A name may have folders: `analyses/1/result.json`."""
        self._write(self._document_path(screen_id, name), content.encode() if isinstance(content, str) else content)

    def document(self, screen_id: str, name: str) -> bytes:
        """Return a named file of a screen. Raises NotFound."""
        content = self._read(self._document_path(screen_id, name))
        if content is None:
            raise NotFound(f"screen '{screen_id}' has no '{name}'")
        return content

    def document_bytes(self, screen_id: str, name: str) -> int:
        """Return how many bytes a named file of a screen has, without reading it. Raises NotFound."""
        path = self._document_path(screen_id, name)
        self._fs.invalidate_cache(path)
        try:
            with self._reached(path):
                return int(self._fs.size(path))
        except FileNotFoundError as error:
            self._check_root()
            raise NotFound(f"screen '{screen_id}' has no '{name}'") from error

    def documents(self, screen_id: str) -> tuple[str, ...]:
        """Return the names of a screen's documents, sorted."""
        folder = f"{self._folder(screen_id)}/documents"
        return tuple(sorted(name.removeprefix(f"{folder}/") for name in self._list_files(folder)))

    def delete(self, screen_id: str) -> None:
        """Remove all files of a screen, if there are any."""
        folder = self._folder(screen_id)
        with self._reached(folder):
            if self._fs.exists(folder):
                self._fs.rm(folder, recursive=True)

    def _folder(self, screen_id: str) -> str:
        if not _ID.fullmatch(screen_id):
            raise Malformed(f"'{screen_id[:80]}' is not a screen id")
        return f"{self._root}/{screen_id}"

    def _batch_path(self, screen_id: str, kind: str, batch: int) -> str:
        if not 0 <= batch < 10**9:
            raise Malformed(f"{batch} is not a batch number")
        return f"{self._folder(screen_id)}/{kind}/{batch:09d}.parquet"

    def _document_path(self, screen_id: str, name: str) -> str:
        if not all(_NAME.fullmatch(part) for part in name.split("/")):
            raise Malformed(f"'{name[:80]}' is not a document name; use letters, digits, '.', '_', '-' and '/'")
        return f"{self._folder(screen_id)}/documents/{name}"

    def _list_files(self, folder: str) -> list[str]:
        # fsspec remembers the lists of remote folders, and another worker may have written files since.
        self._fs.invalidate_cache(folder)
        with self._reached(folder):
            return [str(name) for name in self._fs.find(folder) if f"/{TEMPORARY_PREFIX}" not in name]

    def _cat(self, path: str) -> bytes:
        """Return the content of a file. Raises FileNotFoundError."""
        with self._reached(path):
            # Without a start, the client of S3 first asks for the size, and for a list where the file is not there.
            content: bytes = self._fs.cat_file(path, start=0)
        return content

    def _read(self, path: str) -> bytes | None:
        try:
            return self._cat(path)
        except FileNotFoundError:
            # Without its disk the store has no file at all, which must not be taken for a file that was never written.
            self._check_root()
            return None

    def _write(self, path: str, content: bytes) -> None:
        """Write a file atomically. An object store does so by itself: it shows an object only when it is complete."""
        try:
            with self._reached(path):
                if isinstance(self._fs, LocalFileSystem):
                    self._write_local(Path(path), content)
                else:
                    # An object needs no folder, and to make one would ask for a list of the bucket.
                    self._fs.pipe_file(path, content)
        except FileNotFoundError as error:
            raise Outage(f"{path} cannot be written: {error or 'its bucket is not there'}") from error

    @contextmanager
    def _reached(self, path: str) -> Iterator[None]:
        """Raise Outage for the error of a storage that is away. A file that is not there is no such error."""
        try:
            yield
        except (FileNotFoundError, Outage):
            raise
        except OSError as error:
            raise self._outage(error, path) or error from error
        except Exception as error:
            # The client of an object store has errors of its own, and the key of a vector cannot be at fault.
            if isinstance(self._fs, LocalFileSystem):
                raise
            raise Outage(f"{path} cannot be reached for the moment: {type(error).__name__}: {error}") from error

    def _write_local(self, target: Path, content: bytes) -> None:
        # A root that was there and is away must not be made again beside its disk, where nobody would find the files.
        if self._device is None:
            Path(self._root).mkdir(parents=True, exist_ok=True)
        self._check_root()
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as file:
            file.write(content)

    def _check_root(self) -> None:
        """Raise Outage if the root was there before, and is away or on another disk now."""
        if not isinstance(self._fs, LocalFileSystem):
            return
        try:
            device = Path(self._root).stat().st_dev
        except OSError as error:
            if self._device is None and isinstance(error, FileNotFoundError):
                return
            raise Outage(f"the store {self._root} cannot be reached for the moment: {error.strerror}") from error
        if self._device is None:
            self._device = device
        if device != self._device:
            raise Outage(f"the store {self._root} is on another disk than before, as if its disk were not mounted")

    def _outage(self, error: OSError, path: str) -> Outage | None:
        if isinstance(self._fs, LocalFileSystem):
            return outage(error, Path(path), folder=Path(self._root))
        return Outage(f"{path} cannot be reached for the moment: {type(error).__name__}: {error}")
