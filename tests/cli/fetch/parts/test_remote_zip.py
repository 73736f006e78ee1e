"""A ZIP archive on a server is read in ranges, and every way in which a server can fail is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gandl.fetch.download import Interrupted
from gandl.fetch.parts.remote_zip import RemoteFileStream, open_zip
from gandl_shared.errors import Malformed, Unavailable

from tests.cli.fetch.store import Store, storing, zipped

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def store() -> Iterator[Store]:
    with storing({"/a.bin": CONTENT, "/a.zip": zipped({"x.txt": b"text" * 100})}) as running:
        yield running


def test_any_part_of_a_file_is_read_in_blocks(store: Store) -> None:
    with RemoteFileStream(f"{store.url}/a.bin", block_bytes=1000, pause=0) as stream:
        assert stream.size == len(CONTENT)
        stream.seek(-10, 2)
        assert stream.read(100) == CONTENT[-10:]
        stream.seek(5000)
        assert stream.read(1500) == CONTENT[5000:6000]
        stream.seek(5990)
        assert stream.read(5) == CONTENT[5990:5995]
    # One request for the size, and one for each block.
    assert [part for _, part in store.requests] == ["bytes=0-0", "bytes=10230-10239", "bytes=5000-5999"]


def test_a_broken_connection_is_opened_again(store: Store) -> None:
    with RemoteFileStream(f"{store.url}/a.bin", block_bytes=1000, pause=0) as stream:
        store.cut_after = [10, 20]
        stream.seek(1000)
        assert stream.read(300) == CONTENT[1000:1300]
        stream.seek(2000)
        store.cut_after = [10, 10, 10]
        with pytest.raises(Interrupted, match="broke at byte 2000"):
            stream.read(10)


def test_a_file_that_changes_is_refused(store: Store) -> None:
    with RemoteFileStream(f"{store.url}/a.bin", block_bytes=100, pause=0) as stream:
        store.files["/a.bin"] = CONTENT[::-1]
        stream.seek(500)
        with pytest.raises(Malformed, match="changed while it was read"):
            stream.read(10)


def test_what_is_no_archive_or_no_file_is_named(store: Store, tmp_path: Path) -> None:
    with open_zip(f"{store.url}/a.zip", pause=0) as archive:
        assert archive.read("x.txt") == b"text" * 100
    with (
        pytest.raises(Malformed, match=r"a.bin is not a complete ZIP archive"),
        open_zip(f"{store.url}/a.bin", pause=0),
    ):
        pass
    with pytest.raises(Unavailable, match="answers 404"):
        RemoteFileStream(f"{store.url}/none.zip", pause=0)
    with pytest.raises(Unavailable, match="cannot be reached"):
        RemoteFileStream("http://127.0.0.1:9/none.zip", pause=0)
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(Malformed, match=r"b.zip is not a complete ZIP"), open_zip(tmp_path / "b.zip"):
        pass
