"""Something is away for a moment: the screen waits and says so, and its vectors are those of a run without a fault."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from gandl_shared.errors import Unavailable
from gandl_shared.files.atomic import atomic_file
from gandl_shared.imaging import readers
from gandl_shared.jobs import patience
from gandl_shared.schemas.screen import Progress, ScreenState, ScreenStatus
from gandl_shared.store import store as stores
from gandl_shared.testing import PATIENCE, FakeEmbedder, wait_until
from gandl_worker import screens
from gandl_worker.screens import run_batch, run_screen

from tests.worker.bench import Bench, bench

__all__ = ["bench"]

SITES = 24


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(patience, "MAX_WAIT_SECONDS", 0.1)


class Waits:
    """Records what a screen waits for, and ends the fault when the first reason is shown."""

    def __init__(self, repair: Callable[[], object] = lambda: None) -> None:
        self.reasons: list[str] = []
        self._repair = repair

    def __call__(self, reason: str) -> None:
        if reason and not self.reasons:
            self._repair()
        self.reasons.append(reason)


def run(bench: Bench, screen_id: str, waits: Waits, embedder: FakeEmbedder | None = None) -> ScreenStatus:
    return run_screen(bench.db, bench.store, embedder or FakeEmbedder(), screen_id, on_wait=waits)


def check_complete(bench: Bench, screen_id: str, status: ScreenStatus) -> None:
    """All sites are done, and the vectors are those of an undisturbed run."""
    assert (status.state, status.waiting) == (ScreenState.ANALYSING, None)
    assert status.progress == Progress(sites=SITES, done=SITES, parked=0)
    undisturbed = bench.submit()
    run_screen(bench.db, bench.store, FakeEmbedder(), undisturbed)
    first, second = bench.store.profiles(screen_id), bench.store.profiles(undisturbed)
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert list(first.keys) == list(second.keys)


def test_a_folder_of_images_that_is_away_parks_no_site(bench: Bench) -> None:
    screen_id, aside = bench.submit(), bench.plate.images.with_name("aside")
    bench.plate.images.rename(aside)
    waits = Waits(lambda: aside.rename(bench.plate.images))
    status = run(bench, screen_id, waits)
    assert "…/P1 cannot be reached for the moment: No such file or directory" in waits.reasons[0]
    assert waits.reasons[-1] == ""
    check_complete(bench, screen_id, status)


def test_an_empty_mount_point_parks_no_site(bench: Bench) -> None:
    screen_id, plate = bench.submit(), bench.plate.images / "P1"
    aside = plate.with_name("aside")
    plate.rename(aside)
    plate.mkdir()

    def mount() -> None:
        plate.rmdir()
        aside.rename(plate)

    waits = Waits(mount)
    status = run(bench, screen_id, waits)
    assert "as if its disk were not mounted" in waits.reasons[0]
    check_complete(bench, screen_id, status)


def test_a_folder_that_goes_away_in_the_middle_and_comes_back_loses_nothing(bench: Bench) -> None:
    screen_id, aside = bench.submit(), bench.plate.images.with_name("aside")
    trouble = threading.Event()

    def vanish(_: object) -> None:
        if not trouble.is_set():
            trouble.set()
            bench.plate.images.rename(aside)

    waits = Waits(lambda: aside.rename(bench.plate.images))
    status = run(bench, screen_id, waits, FakeEmbedder(before=vanish))
    assert waits.reasons, "the screen has waited"
    check_complete(bench, screen_id, status)


def test_a_full_store_parks_no_site_and_counts_no_attempt(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    full = threading.Event()
    full.set()
    refusals: list[Path] = []

    @contextmanager
    def write(path: Path) -> Iterator[BinaryIO]:
        if full.is_set():
            refusals.append(path)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        with atomic_file(path) as file:
            yield file

    monkeypatch.setattr(stores, "atomic_file", write)
    screen_id, waits = bench.submit(), Waits()
    thread = threading.Thread(target=run, args=(bench, screen_id, waits))
    thread.start()
    wait_until(lambda: len(refusals) > 9, what="more refusals than three batches have attempts")
    wait_until(lambda: bench.db.screens.status(screen_id).waiting is not None, what="a batch that waits")
    status = bench.db.screens.status(screen_id)
    assert status.progress == Progress(sites=SITES, done=0, parked=0)
    assert "No space left on device" in (status.waiting or "")
    full.clear()
    thread.join(PATIENCE)
    check_complete(bench, screen_id, bench.db.screens.status(screen_id))


def test_a_store_whose_disk_is_away_is_not_made_again_beside_it(bench: Bench, tmp_path: Path) -> None:
    screen_id, root, aside = bench.submit(), tmp_path / "store", tmp_path / "aside"
    first = bench.db.batches.lease("test", 60)
    assert run_batch(bench.db, bench.store, FakeEmbedder(), first).accepted
    root.rename(aside)
    second = bench.db.batches.lease("test", 60)
    assert not run_batch(bench.db, bench.store, FakeEmbedder(), second).accepted
    assert not root.exists()
    assert "store cannot be reached" in (bench.db.screens.status(screen_id).waiting or "")
    aside.rename(root)
    check_complete(bench, screen_id, run(bench, screen_id, Waits()))


def test_one_sector_that_cannot_be_read_holds_up_its_site_alone_and_not_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = bench.plate.image("B01", site=2)
    opened = readers.open_file

    def read(path: Path) -> BinaryIO:
        if path.name == damaged.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(path)

    screen_id = bench.submit(sites_per_batch=24)
    monkeypatch.setattr(readers, "open_file", read)
    lease = bench.db.batches.lease("test", 60)
    assert not run_batch(bench.db, bench.store, FakeEmbedder(), lease).accepted
    status = bench.db.screens.status(screen_id)
    assert (status.progress.parked, status.state) == (0, ScreenState.QUEUED)
    assert "Input/output error" in (status.waiting or "")
    monkeypatch.setattr(screens, "PATIENCE_WITH_ONE_SITE", 0.0)
    again = FakeEmbedder()
    status = run(bench, screen_id, Waits(), again)
    assert again.calls == 0, "the other sites were stored before the wait"
    assert status.progress == Progress(sites=SITES, done=SITES - 1, parked=1)
    assert "Input/output error; this was so for 0 minutes" in status.parked[0].error


def test_a_file_that_is_missing_among_others_is_parked_at_once(bench: Bench) -> None:
    screen_id = bench.submit()
    bench.plate.image("C03", channel=2).unlink()
    waits = Waits()
    status = run(bench, screen_id, waits)
    assert (status.progress.parked, waits.reasons) == (1, [])


def test_a_database_that_is_away_at_the_end_of_a_batch_loses_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen_id = bench.submit(sites_per_batch=24)
    lease, finish, refusals = bench.db.batches.lease("test", 60), bench.db.batches.finish, [1, 1, 1, 1]

    def refuse(*arguments: object) -> object:
        if refusals:
            refusals.pop()
            raise Unavailable("the database does not answer: database or disk is full")
        return finish(*arguments)  # type: ignore[arg-type]  # the arguments are passed on

    monkeypatch.setattr(bench.db.batches, "finish", refuse)
    assert run_batch(bench.db, bench.store, FakeEmbedder(), lease).accepted
    check_complete(bench, screen_id, bench.db.screens.status(screen_id))


def test_a_service_that_is_away_is_named_until_it_is_back(bench: Bench) -> None:
    refusals = [1, 1, 1, 1, 1]

    def refuse(_: object) -> None:
        if refusals:
            refusals.pop()
            raise Unavailable("http://embedding does not answer")

    waits, screen_id = Waits(), bench.submit()
    status = run(bench, screen_id, waits, FakeEmbedder(before=refuse))
    assert waits.reasons == ["http://embedding does not answer", ""]
    check_complete(bench, screen_id, status)


def test_the_waits_of_a_batch_are_longer_each_time_and_end_with_the_fault(bench: Bench) -> None:
    screen_id = bench.submit()
    for waits in range(3):
        lease = bench.db.batches.lease("test", 60)
        assert lease is not None
        assert lease.waits == waits
        bench.db.batches.wait(lease, 0.0, "a disk is away", whole_screen=True)
    lease = bench.db.batches.lease("test", 60)
    assert lease is not None
    assert (lease.attempt, lease.waits) == (1, 3)
    assert bench.db.screens.status(screen_id).waiting == "a disk is away"
    bench.db.batches.finish(lease, {site.number: "key" for site in lease.sites}, {})
    assert bench.db.screens.status(screen_id).waiting is None
    assert [patience.wait_seconds(n) for n in (0, 1, 50)] == [0.05, 0.1, 0.1]
