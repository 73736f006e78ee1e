"""Vectors and OME-Zarr in S3, against a real server: refusals, a server that is away, large objects, no lists."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import NotFound, Outage
from gandl_shared.imaging import read_site
from gandl_shared.jobs import patience
from gandl_shared.plates.sites import find_sites
from gandl_shared.schemas.screen import Progress
from gandl_shared.store import Store
from gandl_shared.testing import PATIENCE, FakeEmbedder, wait_until
from gandl_worker.screens import run_screen

from tests.shared.ome_zarr_plates import FIELDS, plate_map, write_plate
from tests.shared.s3_server import BUCKET, S3Server, s3_server
from tests.worker.bench import Bench, bench

__all__ = ["bench"]

pytestmark = pytest.mark.slow

ROOT = f"s3://{BUCKET}/store"


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    folder = tmp_path / "s3"
    folder.mkdir()
    with s3_server(folder, monkeypatch) as server:
        yield server


def test_vectors_are_those_of_a_folder_and_no_batch_lists_the_bucket(s3: S3Server, bench: Bench) -> None:
    remote = Store(ROOT)
    screen_id, local_id = bench.submit(), bench.submit()
    s3.requests()
    run_screen(bench.db, remote, FakeEmbedder(), screen_id)
    requests = s3.requests()
    assert sum(line.startswith("PUT ") for line in requests) == 6, "three batches with vectors and thumbnails"
    assert not [line for line in requests if "list-type" in line or "prefix=" in line]
    assert len(requests) <= 3 * 3, "each batch asks once for its vectors and writes two objects"
    run_screen(bench.db, bench.store, FakeEmbedder(), local_id)
    one, other = remote.profiles(screen_id), bench.store.profiles(local_id)
    np.testing.assert_array_equal(one.vectors, other.vectors)
    assert list(one.keys) == list(other.keys)
    remote.delete(screen_id)
    with pytest.raises(NotFound):
        Store(ROOT).profiles(screen_id)


def test_a_server_that_is_busy_is_asked_again(s3: S3Server) -> None:
    store = Store(ROOT)
    s3.refuse(3)
    store.put_document("s1", "result.json", "{}")
    s3.refuse(3)
    assert store.document("s1", "result.json") == b"{}"
    assert store.documents("s1") == ("result.json",)


def test_large_objects_are_sent_in_parts(s3: S3Server) -> None:
    content = np.random.default_rng(0).bytes(110 * 2**20)
    store = Store(ROOT)
    s3.requests()
    store.put_document("s1", "large.bin", content)
    parts = [line for line in s3.requests() if "partNumber=" in line]
    assert len(parts) == 3
    assert store.document("s1", "large.bin") == content


def test_a_bucket_that_is_not_there_is_an_outage(s3: S3Server) -> None:
    with pytest.raises(Outage, match="cannot be written"):
        Store("s3://nowhere/store").put_document("s1", "result.json", "{}")


def test_a_screen_waits_for_a_server_that_is_away(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "MAX_WAIT_SECONDS", 1.0)
    folder, screen_id = tmp_path / "s3", bench.submit()
    folder.mkdir()
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with s3_server(folder, monkeypatch) as server:
        remote = Store(ROOT)
    reasons: list[str] = []
    thread = threading.Thread(
        target=run_screen, args=(bench.db, remote, FakeEmbedder(), screen_id), kwargs={"on_wait": reasons.append}
    )
    thread.start()
    wait_until(lambda: reasons, what="a screen that waits")
    assert "cannot be reached for the moment" in reasons[0]
    with server.running():
        thread.join(PATIENCE)
        assert bench.db.screens.status(screen_id).progress == Progress(sites=24, done=24, parked=0)
        assert len(remote.profiles(screen_id)) == 96


def test_a_plate_in_s3_is_that_of_the_disk(s3: S3Server, tmp_path: Path) -> None:
    import s3fs  # noqa: PLC0415

    plate = write_plate(tmp_path / "P1.zarr", 3)
    s3fs.S3FileSystem().put(f"{plate}/", f"{BUCKET}/P1.zarr/", recursive=True)
    s3.requests()
    s3.refuse(2)
    sites = find_sites(Path(f"s3://{BUCKET}/P1.zarr"), plate_map(tmp_path))
    pixels = np.stack([read_site(site.files) for site in sites])
    np.testing.assert_array_equal(pixels, FIELDS.reshape(-1, *FIELDS.shape[2:]))
    assert not [line for line in s3.requests() if "list-type" in line]
