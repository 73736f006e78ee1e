"""Vectors and OME-Zarr in S3, against a real server: refusals, a server that is away, large objects, no lists."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from gandl.screening.run import ScreenJob, run
from gandl_embedding.engine import Engine
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.errors import NotFound, Outage
from gandl_shared.imaging import read_site
from gandl_shared.jobs import patience
from gandl_shared.plates import SiteId
from gandl_shared.plates.sites import find_sites
from gandl_shared.schemas.screen import Progress, ScreenRequest, ScreenState
from gandl_shared.store import Store
from gandl_shared.testing import PATIENCE, FakeEmbedder, free_port, wait_until
from gandl_worker.screens import run_batch, run_screen

from tests.cases import plates
from tests.e2e.running_stack import MODELS, stack
from tests.shared.ome_zarr_plates import FIELDS, plate_map, write_plate
from tests.shared.s3_server import BUCKET, EXPIRED, UNKNOWN_KEY, S3Server, forget_clients, s3_server
from tests.worker.bench import Bench, bench

__all__ = ["bench"]

pytestmark = pytest.mark.slow

DONE = Progress(sites=24, done=24, parked=0)
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


@pytest.fixture
def plate_in_s3(s3: S3Server, bench: Bench) -> Path:
    """The images of the bench in the bucket, and the path under which a screen finds them."""
    import s3fs  # noqa: PLC0415

    s3fs.S3FileSystem().put(f"{bench.plate.images}/", f"{BUCKET}/images/plate/", recursive=True)
    s3.requests()
    return Path(f"s3:/{BUCKET}/images/plate")


def of_images(bench: Bench, images: Path) -> str:
    """Submit the screen of the bench with other images; return its id."""
    return replace(bench, plate=replace(bench.plate, images=images)).submit()


def test_images_in_s3_give_the_vectors_of_the_disk(s3: S3Server, bench: Bench, plate_in_s3: Path) -> None:
    remote = of_images(bench, plate_in_s3)
    lists = [line for line in s3.requests() if "list-type" in line]
    assert len(lists) == 3, "a list of each of the two folders, and one for the stamps of the images"
    s3.refuse(3)
    assert run_screen(bench.db, bench.store, FakeEmbedder(), remote).progress == DONE
    requests = s3.requests()
    assert not [line for line in requests if "list-type" in line]
    images = len(list(bench.plate.images.rglob("*.tif")))
    assert len(requests) <= 2 * images + 3, "each image is read once, and asked once whether it has changed"
    local = bench.submit()
    run_screen(bench.db, bench.store, FakeEmbedder(), local)
    one, other = bench.store.profiles(remote), bench.store.profiles(local)
    np.testing.assert_array_equal(one.vectors, other.vectors)
    assert list(one.keys) == list(other.keys)


def test_an_image_that_is_lost_or_replaced_in_s3(bench: Bench, plate_in_s3: Path) -> None:
    import s3fs  # noqa: PLC0415

    screen_id = of_images(bench, plate_in_s3)
    lost, _, other, *_ = sorted(str(f.relative_to(bench.plate.images)) for f in bench.plate.images.rglob("*.tif"))
    system = s3fs.S3FileSystem()
    bucket = str(plate_in_s3).removeprefix("s3:/")
    system.rm(f"{bucket}/{lost}")
    system.pipe(f"{bucket}/{other}", (bench.plate.images / other).read_bytes() + b"more")
    status = run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    assert status.progress == Progress(sites=24, done=23, parked=1)
    assert f"{lost} is no longer there" in status.parked[0].error
    assert [note for note in (each.note for each in status.noted) if f"{other} had" in note]


@pytest.mark.parametrize("answer", [EXPIRED, UNKNOWN_KEY])
def test_a_screen_waits_while_credentials_are_refused(
    s3: S3Server, bench: Bench, plate_in_s3: Path, answer: str
) -> None:
    screen_id = of_images(bench, plate_in_s3)
    s3.refuse(10**6, answer)
    check_waits(bench, screen_id, "PermissionError")
    s3.refuse(0)
    run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    assert bench.db.screens.status(screen_id).progress == DONE


def test_a_damaged_image_in_s3_parks_its_site(bench: Bench, plate_in_s3: Path) -> None:
    import s3fs  # noqa: PLC0415

    damaged = min(str(file.relative_to(bench.plate.images)) for file in bench.plate.images.rglob("*.tif"))
    content = (bench.plate.images / damaged).read_bytes()
    screen_id = of_images(bench, plate_in_s3)
    s3fs.S3FileSystem().pipe(f"{str(plate_in_s3).removeprefix('s3:/')}/{damaged}", content[: len(content) // 2])
    status = run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    assert status.progress == Progress(sites=24, done=23, parked=1)
    assert Path(damaged).name in status.parked[0].error


def check_waits(bench: Bench, screen_id: str, reason: str) -> None:
    """Run a batch, which waits with this reason and parks nothing."""
    lease = bench.db.batches.lease("test", 60)
    assert lease is not None
    run_batch(bench.db, bench.store, FakeEmbedder(), lease)
    status = bench.db.screens.status(screen_id)
    assert (status.progress.done, status.progress.parked) == (0, 0)
    assert "cannot be reached for the moment" in (status.waiting or "") and reason in (status.waiting or "")


def test_a_running_stack_reads_tiffs_and_the_plate_map_from_s3(s3: S3Server, tmp_path: Path) -> None:
    import s3fs  # noqa: PLC0415

    images = plates.write_images(tmp_path / "images")
    plates.write_plate_map(images / "map.csv")
    s3fs.S3FileSystem().put(f"{images}/", f"{BUCKET}/images/plate/", recursive=True)
    out = tmp_path / "out"
    model = MODELS / "gandl-bbbc013-64.onnx"
    run(ScreenJob(images=images, plate_map=images / "map.csv", out=out), Engine.load(model))
    port = free_port()
    with stack(tmp_path / "home", Path(f"s3:/{BUCKET}/images"), port) as running, AnalysisClient(running.url) as client:
        page = httpx.get(f"{running.url}/ui/new", params={"folder": "plate"}, timeout=PATIENCE)
        assert "map.csv" in page.text and "P1" in page.text
        with pytest.raises(NotFound):
            client.submit(ScreenRequest(images="nothing", plate_map="plate/map.csv", model=model.stem))
        screen = client.submit(ScreenRequest(images="plate", plate_map="plate/map.csv", model=model.stem)).id
        *_, status = client.watch(screen)
        assert (status.state, status.progress.parked, status.noted) == (ScreenState.DONE, 0, ())
        assert client.wells_csv(screen) == (out / "wells.csv").read_text()
        first = status_site(client, screen)
        assert client.image(screen, first).startswith(b"\x89PNG"), "pages show the images at full resolution"


def status_site(client: AnalysisClient, screen: str) -> SiteId:
    """Return the first site of a screen."""
    site = next(client.sites(screen))
    return SiteId(site.plate, site.well, site.site)


def test_a_screen_waits_for_the_bucket_of_its_images(s3: S3Server, bench: Bench, plate_in_s3: Path) -> None:
    import s3fs  # noqa: PLC0415

    screen_id = of_images(bench, plate_in_s3)
    s3fs.S3FileSystem().rm(BUCKET, recursive=True)
    check_waits(bench, screen_id, "FileNotFoundError")


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


def test_a_plate_in_s3_is_away_while_credentials_are_refused(s3: S3Server, tmp_path: Path) -> None:
    import s3fs  # noqa: PLC0415

    s3fs.S3FileSystem().put(f"{write_plate(tmp_path / 'P1.zarr', 3)}/", f"{BUCKET}/P1.zarr/", recursive=True)
    (site, *_) = find_sites(Path(f"s3://{BUCKET}/P1.zarr"), plate_map(tmp_path))
    # A worker that starts later has read nothing of the plate yet.
    forget_clients()
    s3.refuse(10**6, UNKNOWN_KEY)
    with pytest.raises(Outage):
        read_site(site.files)
    s3.refuse(0)
    np.testing.assert_array_equal(read_site(site.files), FIELDS.reshape(-1, *FIELDS.shape[2:])[0])
