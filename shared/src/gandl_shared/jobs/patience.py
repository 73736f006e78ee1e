"""How long work waits for what is away, and steps in the database that must not be lost meanwhile."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from gandl_shared.errors import Unavailable

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 1.0, 60.0
"""Work waits so long for what is away: first the one, then twice as long each time, at most the other."""

T = TypeVar("T")


def wait_seconds(waits: int) -> float:
    """Return how long work waits that has waited so often before."""
    return min(MAX_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(waits, 16))


def persist(write: Callable[[], T]) -> T:
    """Return the result of a step in the database, which is repeated while the database is away or its disk is full.

    Otherwise the end of the work would be lost, and the work would count as that of a worker that died.
    """
    for waits in itertools.count():
        try:
            return write()
        except Unavailable as error:
            log.warning("again in %.0f s: %s", wait_seconds(waits), error.detail)
            time.sleep(wait_seconds(waits))
    raise AssertionError("the count never ends")
