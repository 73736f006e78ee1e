"""A download continues where it stopped, and no answer of a server other than the file becomes a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from gandl.fetch.data_set import RemoteFile
from gandl.fetch.download import MAX_ATTEMPTS, Interrupted, download, remaining_bytes, sha256_of
from gandl_shared.errors import Malformed, Unavailable

from tests.cli.fetch.publisher import ARCHIVE, Publisher, serving

CONTENT = bytes(range(256)) * 40
HALF = len(CONTENT) // 2


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with serving(Publisher(CONTENT)) as running:
        yield running


def remote(publisher: Publisher, **changes: object) -> RemoteFile:
    values = {"url": publisher.url, "size": len(CONTENT)} | changes
    return RemoteFile(**values)  # type: ignore[arg-type]


def start(publisher: Publisher, folder: Path, **changes: object) -> Path:
    return download(remote(publisher, **changes), folder, lambda _done, _total: None, pause=0)


def interrupt(publisher: Publisher, folder: Path) -> None:
    """Download half of the file, as if the program had been killed then."""
    publisher.cut_after = [HALF, 0, 0]
    with pytest.raises(Interrupted, match=f"{HALF} of {len(CONTENT)} bytes.*run the same command again"):
        start(publisher, folder)
    publisher.ranges.clear()


def test_the_file_has_the_bytes_of_the_server_and_nothing_else_is_left(publisher: Publisher, tmp_path: Path) -> None:
    path = start(publisher, tmp_path)
    assert (path.name, path.read_bytes()) == (ARCHIVE, CONTENT)
    assert list(tmp_path.iterdir()) == [path]
    assert sha256_of(path) == hashlib.sha256(CONTENT).hexdigest()


def test_a_broken_connection_is_opened_again_and_continues(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cut_after = [100, 1000]
    assert start(publisher, tmp_path).read_bytes() == CONTENT
    assert publisher.ranges == [None, "bytes=100-", "bytes=1100-"]


def test_the_next_start_requests_only_the_rest(publisher: Publisher, tmp_path: Path) -> None:
    interrupt(publisher, tmp_path)
    assert not (tmp_path / ARCHIVE).exists()
    assert remaining_bytes(remote(publisher), tmp_path) == len(CONTENT) - HALF
    assert start(publisher, tmp_path).read_bytes() == CONTENT
    assert publisher.ranges == [f"bytes={HALF}-"]


def test_a_server_that_ignores_ranges_starts_over(publisher: Publisher, tmp_path: Path) -> None:
    interrupt(publisher, tmp_path)
    publisher.honours_ranges = False
    assert start(publisher, tmp_path).read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_starts_over(publisher: Publisher, tmp_path: Path) -> None:
    interrupt(publisher, tmp_path)
    publisher.etag, publisher.content = '"v2"', CONTENT[::-1]
    assert start(publisher, tmp_path).read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("etag", [None, 'W/"v1"'])
def test_without_a_strong_validator_nothing_is_continued(
    publisher: Publisher, tmp_path: Path, etag: str | None
) -> None:
    publisher.etag, publisher.cut_after = etag, [HALF] * MAX_ATTEMPTS
    with pytest.raises(Interrupted, match="and it starts over"):
        start(publisher, tmp_path)
    assert start(publisher, tmp_path).read_bytes() == CONTENT
    assert set(publisher.ranges) == {None}


def test_the_connection_is_opened_a_limited_number_of_times(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cut_after = [10] * 99
    with pytest.raises(Interrupted):
        start(publisher, tmp_path)
    assert len(publisher.ranges) == MAX_ATTEMPTS


def test_another_size_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=f"{len(CONTENT)} bytes or more on the server, not 77.*give --from FILE"):
        start(publisher, tmp_path, size=77)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/zip"])
def test_an_html_page_is_refused(tmp_path: Path, content_type: str) -> None:
    page = b"\n<!DOCTYPE html><html>Please log in</html>"
    with (
        serving(Publisher(page, content_type=content_type)) as publisher,
        pytest.raises(Malformed, match="an HTML page, not with the file"),
    ):
        start(publisher, tmp_path, size=len(page))
    assert list(tmp_path.iterdir()) == []


def test_another_checksum_is_refused_and_the_next_start_begins_anew(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="not the publisher's 0000"):
        start(publisher, tmp_path, sha256="0000")
    assert list(tmp_path.iterdir()) == []
    path = start(publisher, tmp_path, sha256=hashlib.sha256(CONTENT).hexdigest())
    assert path.read_bytes() == CONTENT


def test_an_error_of_the_server_is_named(publisher: Publisher, tmp_path: Path) -> None:
    publisher.status = 503
    with pytest.raises(Unavailable, match="answers 503"):
        start(publisher, tmp_path)


def test_a_server_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    with serving(Publisher(CONTENT)) as publisher:
        url = publisher.url
    with pytest.raises(Unavailable, match=r"cannot be reached.*give --from FILE"):
        download(RemoteFile(url=url, size=5), tmp_path, lambda _done, _total: None, pause=0)
