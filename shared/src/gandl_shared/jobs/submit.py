"""Submitting a planned screen, and retrying one."""

from __future__ import annotations

from gandl_shared.db import Database
from gandl_shared.jobs.plan import ScreenPlan
from gandl_shared.jobs.queue import Queue


def submit(db: Database, plan: ScreenPlan, queue: Queue | None = None) -> str:
    """Write a screen in one transaction, announce its batches if there is a queue, and return its id."""
    screen_id = db.screens.create(plan.screen)
    # A worker looks up what a message names, so the rows must be in the database before the message is sent.
    if queue is not None:
        queue.batch_ready(db.batches.queued_ids(screen_id))
    return screen_id


def retry(db: Database, screen_id: str, queue: Queue) -> None:
    """Queue again the parts of a screen that are missing, and announce them. Raises NotFound, Conflict."""
    analysis_id = db.screens.retry(screen_id)
    queue.batch_ready(db.batches.queued_ids(screen_id))
    if analysis_id is not None:
        queue.analysis_ready(analysis_id)
