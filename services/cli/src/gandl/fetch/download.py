"""Download one file so that an interrupted download continues where it stopped.

The bytes go to NAME.part, and NAME.part.json beside it identifies the version of the file. A second start requests the
rest with `Range` and `If-Range` (RFC 9110, section 13.1.5): the server sends the rest if the file is still the same,
and the whole file otherwise. A server that ignores `Range` also sends the whole file, and the download starts over.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from gandl_shared.errors import GandlError, Malformed, Unavailable
from gandl_shared.files.atomic import atomic_file

from gandl.fetch.data_set import RemoteFile

MAX_ATTEMPTS = 3
"""So many times a broken connection is opened again before the user is told."""
PAUSE_SECONDS = 2.0

_TIMEOUT_SECONDS = 30.0
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

OnBytes = Callable[[int, int], None]
"""Called with the number of bytes so far and the number of all."""


class Interrupted(Malformed):
    """The connection ended before the file did; the bytes so far are kept and the next start continues."""


@dataclass(frozen=True)
class Validator:
    """The version of a file that a part belongs to: a strong ETag or the time of its last change, and its size."""

    url: str
    value: str
    size: int | None = None


def download(remote: RemoteFile, folder: Path, on_bytes: OnBytes, *, pause: float = PAUSE_SECONDS) -> Path:
    """Download a file into a folder and return its path; continue a part that an earlier start left there.

    Raises Interrupted where the connection ends early, Unavailable where the server cannot be reached or refuses, and
    Malformed where its answer is not the file: another size, an HTML page, or another checksum.
    """
    path = folder / remote.name
    part = path.with_name(f"{path.name}.part")
    try:
        _complete(remote, part, on_bytes, pause)
        _check(remote, part)
    except Interrupted:
        raise
    except Malformed:
        # These bytes are not those of the file, so the next start must not continue them.
        part.unlink(missing_ok=True)
        _forget(part)
        raise
    part.replace(path)
    _forget(part)
    return path


def remaining_bytes(remote: RemoteFile, folder: Path) -> int:
    """Return how many bytes of a file an earlier start has left to download."""
    part = folder / f"{remote.name}.part"
    return max(0, remote.expected_bytes - (part.stat().st_size if part.is_file() else 0))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _complete(remote: RemoteFile, part: Path, on_bytes: OnBytes, pause: float) -> None:
    """Receive the missing bytes of a part, and open a connection that ends early again."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        # A program that was killed after the last byte has nothing left to receive.
        if part.is_file() and part.stat().st_size == _size(remote, part):
            return
        try:
            _receive(remote, part, on_bytes)
        except Interrupted:
            if attempt == MAX_ATTEMPTS:
                raise
            time.sleep(pause)


def _receive(remote: RemoteFile, part: Path, on_bytes: OnBytes) -> None:
    """Append the rest of a file to its part, or write all of it where the rest cannot be had."""
    validator = _validator_of(part, remote.url)
    start = part.stat().st_size if validator and part.is_file() else 0
    # Without `identity` a server may compress the answer, and then offsets would count other bytes.
    headers = {"Accept-Encoding": "identity"}
    size = _size(remote, part)
    if validator and start > 0 and (size is None or start < size):
        headers |= {"Range": f"bytes={start}-", "If-Range": validator.value}
    else:
        start = 0
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=_TIMEOUT_SECONDS) as client,
            client.stream("GET", remote.url, headers=headers) as response,
        ):
            start = _start_of(response, remote, start)
            _append(response, remote, part, start, on_bytes, size=_full_size(response, remote))
    except httpx.HTTPError as error:
        size = part.stat().st_size if part.is_file() else 0
        if size:
            raise _interrupted(remote, part) from error
        raise Unavailable(
            f"{remote.url} cannot be reached ({_reason(error)}); download it on another machine and give --from FILE"
        ) from error


def _start_of(response: httpx.Response, remote: RemoteFile, start: int) -> int:
    """Return the offset at which the answer begins. Raises Unavailable or Malformed for an answer without the file."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        content_range = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if not content_range or int(content_range[1]) != start:
            raise _other_bytes(remote)
        if remote.size is not None and content_range[2] not in ("*", str(remote.size)):
            raise _other_bytes(remote)
        return start
    if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise _other_bytes(remote)
    if response.status_code != httpx.codes.OK:
        raise Unavailable(f"{remote.url} answers {response.status_code} {response.reason_phrase}")
    if response.headers.get("content-type", "").startswith("text/html"):
        raise Malformed(f"{remote.url} answers with an HTML page, not with the file; give --from FILE")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Malformed(f"the server compresses {remote.name} although it was told not to")
    length = response.headers.get("content-length")
    if length is not None and remote.size is not None and int(length) != remote.size:
        raise _other_size(remote, int(length))
    return 0


def _full_size(response: httpx.Response, remote: RemoteFile) -> int | None:
    """Return the size of the whole file: as it is known, or as the server tells it."""
    if remote.size is not None:
        return remote.size
    content_range = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    text = content_range[2] if content_range else response.headers.get("content-length", "")
    return int(text) if text.isdigit() else None


def _size(remote: RemoteFile, part: Path) -> int | None:
    """Return the size of the whole file: as it is known, or as the server told it when the part began."""
    validator = _validator_of(part, remote.url)
    return remote.size if remote.size is not None or validator is None else validator.size


def _append(
    response: httpx.Response, remote: RemoteFile, part: Path, start: int, on_bytes: OnBytes, *, size: int | None
) -> None:
    if start == 0:
        _remember(response, part, remote.url, size)
    done = start
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        file.truncate()
        on_bytes(done, size or done)
        # A chunk size would hold blocks back and lose them when the connection breaks.
        for block in response.iter_raw():
            done += len(block)
            if size is not None and done > size:
                raise _other_size(remote, done)
            file.write(block)
            on_bytes(done, size or done)
        file.flush()
        os.fsync(file.fileno())
    # Without a size, the end of a chunked answer is the end of the file: a broken one is an error of the client.
    if size is not None and done < size:
        raise _interrupted(remote, part)


def _check(remote: RemoteFile, part: Path) -> None:
    with part.open("rb") as file:
        # Login pages of networks and error pages of servers come with any content type.
        first = file.read(512).lstrip().lower()
    if first.startswith((b"<!doctype", b"<html")):
        raise Malformed(f"{remote.url} answers with an HTML page, not with the file; give --from FILE")
    if remote.sha256 is not None and (actual := sha256_of(part)) != remote.sha256:
        raise Malformed(f"{remote.name} has the SHA-256 {actual}, not the publisher's {remote.sha256}")


def _interrupted(remote: RemoteFile, part: Path) -> Interrupted:
    size = _size(remote, part)
    of = "" if size is None else f" of {size}"
    stopped = f"the download of {remote.name} stopped after {part.stat().st_size}{of} bytes"
    action = "it continues there" if _validator_of(part, remote.url) else "it starts over"
    return Interrupted(f"{stopped}; run the same command again and {action}")


def _other_bytes(remote: RemoteFile) -> GandlError:
    detail = f"the server has no continuation of the bytes of {remote.name} that are here already"
    return Malformed(f"{detail}; run the same command again and it starts over")


def _other_size(remote: RemoteFile, size: int) -> GandlError:
    detail = f"{remote.name} has {size} bytes or more on the server, not {remote.size}"
    return Malformed(f"{detail}; if the publisher changed it, download it yourself and give --from FILE")


def _remember(response: httpx.Response, part: Path, url: str, size: int | None) -> None:
    """Write the validator of an answer beside the part. A weak ETag does not promise equal bytes and is not used."""
    etag = response.headers.get("etag", "")
    value = etag if etag and not etag.startswith("W/") else response.headers.get("last-modified")
    _forget(part)
    if value:
        with atomic_file(_validator_file(part)) as file:
            file.write(json.dumps(asdict(Validator(url, value, size))).encode())


def _validator_of(part: Path, url: str) -> Validator | None:
    try:
        validator = Validator(**json.loads(_validator_file(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return validator if validator.url == url else None


def _validator_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _forget(part: Path) -> None:
    _validator_file(part).unlink(missing_ok=True)


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
