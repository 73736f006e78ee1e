"""A Celery worker that runs in this process."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from celery import Celery

from gandl_shared.db import Database
from gandl_shared.jobs.broker import CeleryQueue
from gandl_shared.jobs.lease import expire_dead_leases
from gandl_shared.jobs.sweep import SWEEP_SECONDS, Sweep

log = logging.getLogger(__name__)


def serve(
    app: Celery, db: Database, queues: Sequence[str], *, concurrency: int = 1, sweep_seconds: float = SWEEP_SECONDS
) -> None:
    """Process the messages of `queues`, and sweep, until SIGTERM or SIGINT. Running tasks end before the return.

    Tasks run in threads: reading, decoding and waiting for the model release the interpreter, and a process that does
    not fork can keep its database connections.
    """
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
