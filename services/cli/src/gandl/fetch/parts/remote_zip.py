"""A ZIP archive on a server, read in ranges: chosen members of it without the rest.

The archive of all images of RxRx19a has 445 GB; the plates of one experiment are a small part of it. `zipfile` reads
the directory at the end of the archive and then the members, and checks the CRC-32 of each.
"""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from gandl_shared.errors import GandlError, Malformed, Unavailable

from gandl.fetch.download import MAX_ATTEMPTS, PAUSE_SECONDS, Interrupted

BLOCK_BYTES = 8 << 20
"""So many bytes are read with one request; images are smaller and lie side by side."""
_TIMEOUT_SECONDS = 30.0
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class RemoteFileStream(io.RawIOBase):
    """The bytes of a file on a server as a stream with positions. Raises GandlError and its kin while it is read."""

    def __init__(self, url: str, *, block_bytes: int = BLOCK_BYTES, pause: float = PAUSE_SECONDS) -> None:
        super().__init__()
        self._url, self._block_bytes, self._pause = url, block_bytes, pause
        self._client = httpx.Client(follow_redirects=True, timeout=_TIMEOUT_SECONDS)
        self._etag: str | None = None
        self._position = self._block_start = 0
        self._block = b""
        self.size = 0
        try:
            # The first block tells the size, and whether the server answers ranges at all.
            self._block = self._range(0, 1)
        except BaseException:
            self._client.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
        super().close()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position, and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stubs ask for any buffer
        """Fill a buffer from the current position, at most to the end of a block, and return the number of bytes."""
        if self._position >= self.size or not len(buffer):
            return 0
        offset = self._position - self._block_start
        if not 0 <= offset < len(self._block):
            self._block = self._range(self._position, min(self._block_bytes, self.size - self._position))
            self._block_start, offset = self._position, 0
        count = min(len(buffer), len(self._block) - offset)
        buffer[:count] = self._block[offset : offset + count]
        self._position += count
        return count

    def _range(self, start: int, count: int) -> bytes:
        """Return bytes of the file. A connection that breaks is opened again, and the third time the user is told."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._request(start, count)
            except httpx.HTTPError as error:
                if attempt == MAX_ATTEMPTS:
                    raise self._broken(error, start) from error
                time.sleep(self._pause)
        raise AssertionError("unreachable")

    def _request(self, start: int, count: int) -> bytes:
        headers = {"Range": f"bytes={start}-{start + count - 1}", "Accept-Encoding": "identity"}
        if self._etag:
            headers["If-Range"] = self._etag
        with self._client.stream("GET", self._url, headers=headers) as response:
            self._check(response, start)
            content = b"".join(response.iter_raw())
        if len(content) != count:
            raise httpx.ReadError(f"{len(content)} of {count} bytes")
        etag = response.headers.get("etag", "")
        self._etag = etag if etag and not etag.startswith("W/") else None
        return content

    def _check(self, response: httpx.Response, start: int) -> None:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if response.status_code == httpx.codes.PARTIAL_CONTENT and match and int(match[1]) == start:
            size = int(match[3])
            if self.size and size != self.size:
                raise Malformed(f"{self._url} changed while it was read; run the same command again")
            self.size = size
        elif response.status_code == httpx.codes.OK and self._etag:
            raise Malformed(f"{self._url} changed while it was read; run the same command again")
        elif response.is_success and response.headers.get("content-type", "").startswith("text/html"):
            raise Malformed(f"{self._url} answers with an HTML page, not with the file; give --from FILE")
        elif response.status_code == httpx.codes.OK:
            raise Unavailable(
                f"{self._url} does not answer requests for a part of it; download the archive and give --from FILE"
            )
        else:
            raise Unavailable(f"{self._url} answers {response.status_code} {response.reason_phrase}")

    def _broken(self, error: httpx.HTTPError, start: int) -> GandlError:
        reason = str(error) or type(error).__name__
        if self.size:
            return Interrupted(
                f"the connection to {self._url} broke at byte {start} ({reason}); run the same command again and it "
                "continues there"
            )
        return Unavailable(
            f"{self._url} cannot be reached ({reason}); download it on another machine and give --from FILE"
        )


@contextmanager
def open_zip(source: Path | str, *, pause: float = PAUSE_SECONDS) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP archive: a file by its path, or one on a server by its address. Raises Malformed for no archive."""
    raw = RemoteFileStream(source, pause=pause) if isinstance(source, str) else source.open("rb")
    name = source.rsplit("/", 1)[-1] if isinstance(source, str) else source.name
    with raw:
        try:
            # The directory of a large archive is read in small steps, which the buffer joins to few requests.
            with zipfile.ZipFile(io.BufferedReader(raw) if isinstance(raw, io.RawIOBase) else raw) as archive:
                yield archive
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise Malformed(f"{name} is not a complete ZIP archive: {error}") from error
