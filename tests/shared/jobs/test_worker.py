"""The Celery worker of a process is started for its queues, and a sweep runs beside it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from gandl_shared.db import Database
from gandl_shared.jobs.worker import serve


class Application:
    """A Celery application that records how its worker is started, and ends it with an exit code."""

    def __init__(self, exit_code: int | None) -> None:
        self.arguments: Sequence[str] = ()
        self.threads: list[str] = []
        self._exit_code = exit_code

    def worker_main(self, arguments: Sequence[str]) -> None:
        self.arguments = arguments
        self.threads = [thread.name for thread in threading.enumerate()]
        raise SystemExit(self._exit_code)


def option(app: Application, name: str) -> str:
    return app.arguments[list(app.arguments).index(name) + 1]


def test_the_worker_takes_messages_of_its_queues_in_threads_beside_a_sweep(db: Database) -> None:
    app = Application(None)
    serve(app, db, ("batches", "analysis"), concurrency=3, sweep_seconds=3600)  # type: ignore[arg-type]  # a fake
    assert (option(app, "--queues"), option(app, "--concurrency")) == ("batches,analysis", "3")
    assert option(app, "--pool") == "threads"
    assert "sweep" in app.threads
    assert "sweep" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("code", [1, 70])
def test_a_worker_that_fails_ends_the_process_with_its_code(db: Database, code: int) -> None:
    with pytest.raises(SystemExit) as caught:
        serve(Application(code), db, ("batches",), sweep_seconds=3600)  # type: ignore[arg-type]  # a fake
    assert caught.value.code == code
