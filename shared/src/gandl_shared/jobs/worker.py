"""A Celery worker that runs in this process."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps

from gandl_shared.db import Database
from gandl_shared.files.traces import start_tracing
from gandl_shared.jobs.broker import CeleryQueue
from gandl_shared.jobs.lease import expire_dead_leases
from gandl_shared.jobs.sweep import SWEEP_SECONDS, Sweep

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0


def serve(
    app: Celery,
    db: Database,
    queues: Sequence[str],
    *,
    concurrency: int = 1,
    sweep_seconds: float = SWEEP_SECONDS,
    heartbeat: Path | None = None,
) -> None:
    """Process the messages of `queues`, and sweep, until SIGTERM or SIGINT. Running tasks end before the return.

    The file `heartbeat` is touched every few seconds while messages can be taken.
    Tasks run in threads: reading, decoding and waiting for the model release the interpreter, and a process that does
    not fork can keep its database connections.
    """
    start_tracing(f"gandl worker of {' and '.join(queues)}")
    # Several workers may run on one machine, and Celery tells them apart by their names.
    name = f"gandl-{os.getpid()}@%h"
    arguments = [
        "worker",
        "--hostname",
        name,
        "--pool",
        "threads",
        "--concurrency",
        str(concurrency),
        "--queues",
        ",".join(queues),
    ]
    # Workers share the database and need no contact with each other.
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
    if heartbeat is not None:
        _add_heartbeat(app, heartbeat)
    dead = expire_dead_leases(db)
    if dead:
        log.info("%d leases of workers that died on this machine are over", dead)
    with Sweep(db, CeleryQueue(app), sweep_seconds):
        try:
            app.worker_main([*arguments, *quiet])
        except SystemExit as end:
            # Celery ends by SystemExit also after normal work, but then the caller still has connections to close.
            if end.code not in (None, 0):
                sys.exit(end.code)


def _add_heartbeat(app: Celery, file: Path) -> None:
    """Let the worker of an application touch `file` every few seconds while it is connected to its broker."""

    class Heartbeat(bootsteps.StartStopStep):
        """Starts when the worker takes messages, and stops with its connection."""

        requires = ("celery.worker.consumer.tasks:Tasks",)

        def __init__(self, consumer: Any, **_: Any) -> None:  # Celery's consumer has no types
            super().__init__(consumer)
            self._timer: Any = None

        def start(self, consumer: Any) -> None:
            """Touch the file now and from then on."""
            file.touch()
            # The timer runs in the loop that takes messages, so a loop that hangs is noticed too.
            self._timer = consumer.timer.call_repeatedly(HEARTBEAT_SECONDS, file.touch)

        def stop(self, consumer: Any) -> None:
            """Touch the file no more."""
            if self._timer is not None:
                self._timer.cancel()

    app.steps["consumer"].add(Heartbeat)
