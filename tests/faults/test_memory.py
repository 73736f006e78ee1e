"""A worker that Linux really ends for want of memory: the batch is split, and the site that did it is named."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.jobs import ScreenPlan, submit
from gandl_shared.testing import PATIENCE

from tests.faults.record import Recovery, record
from tests.faults.test_worker_faults import SITES, Stack, stack

__all__ = ["stack"]

pytestmark = pytest.mark.slow

LIMIT = 700 * 2**20
GROUPS = Path("/sys/fs/cgroup")


@contextmanager
def memory_limit(limit: int) -> Iterator[Path]:
    """Yield the file that takes the ids of processes which may have `limit` bytes together."""
    versions = {GROUPS / "memory": "memory.limit_in_bytes", GROUPS: "memory.max"}
    folder, name = next(((folder, name) for folder, name in versions.items() if folder.is_dir()), (GROUPS, ""))
    group = folder / f"gandl-{uuid.uuid4().hex[:8]}"
    try:
        group.mkdir()
        (group / name).write_text(str(limit))
    except OSError as error:
        pytest.skip(f"the memory of a process can only be limited by root, with control groups: {error}")
    try:
        yield group / "cgroup.procs"
    finally:
        for _ in range(50):
            try:
                group.rmdir()
            except OSError:  # its last process is still ending
                time.sleep(0.1)
            else:
                break


def test_a_site_that_fills_the_memory_is_parked_and_the_others_are_done(stack: Stack) -> None:
    stack.broker.start()
    screen_id = submit(stack.db, ScreenPlan(replace(stack.plan.screen, sites_per_batch=SITES), stack.plan.headers))
    # Two channels of one site, each of them a small file within the limit of pixels.
    bombs = sorted((stack.folder / "plate").rglob("*.tif"))[4:6]
    for bomb in bombs:
        tifffile.imwrite(bomb, np.zeros((11_000, 11_000), np.uint16), compression="zlib")
        assert bomb.stat().st_size < 300_000
    with memory_limit(LIMIT) as members:
        with stack.worker(lease=3600) as first:
            members.write_text(str(first.pid))
            stack.queue.batch_ready(stack.db.batches.queued_ids(screen_id))
            assert first.wait(PATIENCE) == -signal.SIGKILL
        start = time.monotonic()
        with stack.worker(lease=3600) as second:
            members.write_text(str(second.pid))
            while (progress := stack.db.screens.status(screen_id).progress).done + progress.parked < SITES:
                assert second.poll() is None, "the second worker survives, because the site has a process of its own"
                assert time.monotonic() - start < 2 * PATIENCE
                time.sleep(0.1)
    status = stack.db.screens.status(screen_id)
    assert (status.progress.done, status.progress.parked) == (SITES - 1, 1)
    (parked,) = status.parked
    assert all(bomb.name in parked.error for bomb in bombs) and "not enough memory" in parked.error
    record(
        Recovery(
            fault="a site fills the memory of its worker, which is killed",
            seconds=time.monotonic() - start,
            messages=f"`{status.summary}`; the site with its files",
            result="the other sites are done",
        )
    )
