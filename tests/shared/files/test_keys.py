"""Files under keys: in a folder, in an archive, at a URL; nothing leads out of the root."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import fsspec
import pytest
from gandl_shared.errors import BadInput, InvalidImage, NotFound, Outage
from gandl_shared.files.keys import KeyedFiles, RemoteKeys, is_remote, open_keys, parse_json, read_text

from tests.shared.file_server import file_server

CONTENT = bytes(range(100))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "A").mkdir(parents=True)
    (tmp_path / "root" / "A" / "0").write_bytes(CONTENT)
    (tmp_path / "root" / "zarr.json").write_text("{}")
    return tmp_path / "root"


def archive(root: Path) -> Path:
    path = root.parent / "root.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for entry in sorted(root.rglob("*")):
            file.write(entry, entry.relative_to(root))
    return path


def check(files: KeyedFiles) -> None:
    assert files.read("A/0") == CONTENT
    assert files.read("A/0", 10, 20) == CONTENT[10:20]
    assert files.read("A/0", 90) == CONTENT[90:]
    assert files.read("A/1") is None
    assert files.read("B/0") is None
    for key in ("../secret", "A/../../secret", "/etc/passwd", "A//0", "", ".", "A/.", "A\\0", "A\0"):
        with pytest.raises(InvalidImage, match="which is no path below it"):
            files.read(key)


def test_a_folder_and_an_archive_answer_alike(root: Path) -> None:
    for path in (root, archive(root)):
        check(open_keys(path))
        assert open_keys(path).read("A/0", -5) == CONTENT[-5:]


def test_a_url_is_read_by_its_keys_and_never_listed(root: Path) -> None:
    assert not is_remote(Path("/data/P1.zarr"))
    (root.parent / "secret").write_bytes(b"1")
    (root / "A B?").write_bytes(b"2")
    with file_server(root.parent) as server:
        path = Path(f"{server.url}/root")  # a path loses one of the slashes
        assert is_remote(path)
        check(open_keys(path))
        assert open_keys(path).read("A/0", -5) == CONTENT[-5:]
        assert not [request for request in server.requests if request.endswith("/")]
        # No spelling of a key leads out of the root, or to the same file by another name.
        for key in ("%2e%2e/secret", "A/%2E%2E/%2e%2e/secret", "..%2fsecret", "zarr.json?x", "zarr.json#x"):
            assert open_keys(path).read(key) is None
        assert open_keys(path).read("A B?") == b"2"


def test_metadata_in_one_file_are_asked_for_once(root: Path) -> None:
    nodes = {"A/1": {"node_type": "group"}}
    (root / "zarr.json").write_text(json.dumps({"consolidated_metadata": {"metadata": nodes}}))
    with file_server(root.parent) as server:
        files = open_keys(Path(f"{server.url}/root/"))
        content = files.read("A/1/zarr.json")
        assert content is not None
        assert parse_json(content, "A/1/zarr.json", "root") == {"node_type": "group"}
        assert files.read("A/2/zarr.json") is None
        assert server.requests == ["/root/zarr.json"]


def test_links_out_of_the_folder_and_what_is_no_file_are_refused(root: Path) -> None:
    secret = root.parent / "secret"
    secret.write_bytes(b"secret")
    (root / "A" / "link").symlink_to(secret)
    (root / "folder").symlink_to(root.parent, target_is_directory=True)
    (root / "A" / "circle").symlink_to("circle")
    os.mkfifo(root / "A" / "fifo")
    (root / "A" / "self").symlink_to("/proc/self/fd")
    files = open_keys(root)
    for key in ("A/link", "folder/secret", "A/circle", "A/fifo", "A/self/0", "A"):
        with pytest.raises(InvalidImage, match=key):
            files.read(key)
    (root / "A" / "inside").symlink_to("0")
    assert files.read("A/inside") == CONTENT


def test_what_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere is not there"):
        open_keys(tmp_path / "nowhere")
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(BadInput, match=r"a\.zip cannot be opened as a ZIP archive"):
        open_keys(tmp_path / "a.zip")


def test_a_damaged_archive_is_named(root: Path) -> None:
    path = archive(root)
    content = path.read_bytes()
    start = content.index(CONTENT[:20]) if CONTENT[:20] in content else content.index(b"A/0") + 3
    path.write_bytes(content[:start] + b"\xff" * 20 + content[start + 20 :])
    with pytest.raises(InvalidImage, match=r"A/0 in root\.zip cannot be read"):
        open_keys(path).read("A/0")
    (root / "\u00e4").write_bytes(b"")
    path.write_bytes(archive(root).read_bytes().replace("\u00e4".encode(), b"\xff\xff"))
    with pytest.raises(BadInput, match="cannot be opened as a ZIP archive"):
        open_keys(path)


def test_metadata_must_be_small_json_objects(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (b"{", b"[1]", b"[" * 100_000):
        with pytest.raises(InvalidImage, match=r"zarr\.json in P1"):
            parse_json(content, "zarr.json", "P1")
    monkeypatch.setattr("gandl_shared.files.keys.MAX_TEXT_BYTES", 50)
    with pytest.raises(InvalidImage, match="A/0 in root has more than 50 bytes"):
        read_text(open_keys(root), "A/0")


def test_a_chunk_is_absent_only_while_its_plate_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the bucket, or with credentials that have run out, every chunk would look like background."""
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/bucket/plate.zarr/zarr.json", b"{}")
    monkeypatch.setattr(fsspec.core, "url_to_fs", lambda _url: (memory, "/bucket/plate.zarr"))
    files = RemoteKeys("s3://bucket/plate.zarr")
    assert files.read("A/1/0/c/0/0") is None
    memory.rm("/bucket", recursive=True)
    with pytest.raises(Outage, match=r"plate.zarr cannot be reached for the moment: FileNotFoundError"):
        files.read("A/1/0/c/0/0")


def test_a_server_that_does_not_answer_is_away_and_a_wrong_file_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/bucket/plate.zarr/zarr.json", b"{}")
    monkeypatch.setattr(fsspec.core, "url_to_fs", lambda _url: (memory, "/bucket/plate.zarr"))
    files = RemoteKeys("s3://bucket/plate.zarr")
    for error, kind in ((TimeoutError("slow"), Outage), (ValueError("odd"), InvalidImage)):

        def fail(*_: object, error: Exception = error) -> bytes:
            raise error

        monkeypatch.setattr(files, "_part", fail)
        with pytest.raises(kind):
            files.read("A/1/0/c/0/0")
