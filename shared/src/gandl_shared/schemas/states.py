"""The states of sites, batches and analyses. The state of a whole screen is `ScreenState` in the schemas of screens."""

from __future__ import annotations

from enum import StrEnum


class SiteState(StrEnum):
    """A site is queued until its vectors are stored (done) or an error has put it aside (parked)."""

    QUEUED = "queued"
    DONE = "done"
    PARKED = "parked"


class WorkState(StrEnum):
    """A batch or an analysis in the database: queued → leased by a worker → done.

    A batch that keeps failing is parked, an analysis has then failed. Work of a cancelled screen is cancelled.
    """

    QUEUED = "queued"
    LEASED = "leased"
    DONE = "done"
    PARKED = "parked"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_WORK = (WorkState.QUEUED, WorkState.LEASED)
"""Work in one of these states has not ended."""


class AnalysisState(StrEnum):
    """An analysis as the service answers it: work that is leased is running."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
