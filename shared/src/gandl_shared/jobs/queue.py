"""Announcing work to workers. A message is only a hint: the database is the truth about the work.

`Sweep` sends a lost message again, and a worker that receives a message twice finds nothing to lease.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol


class Queue(Protocol):
    """A queue that announces batches and analyses to workers."""

    def batch_ready(self, batch_ids: Sequence[int]) -> None:
        """Announce batches that wait in the database. Does not raise if the broker is away."""

    def analysis_ready(self, analysis_id: int) -> None:
        """Announce an analysis that waits in the database. Does not raise if the broker is away."""


class InProcessQueue:
    """A queue without a broker: it runs the work directly, in this process and thread."""

    def __init__(self, run_batch: Callable[[int], object], run_analysis: Callable[[int], object]) -> None:
        self._run_batch = run_batch
        self._run_analysis = run_analysis

    def batch_ready(self, batch_ids: Sequence[int]) -> None:
        """Run these batches now."""
        for batch_id in batch_ids:
            self._run_batch(batch_id)

    def analysis_ready(self, analysis_id: int) -> None:
        """Run this analysis now."""
        self._run_analysis(analysis_id)
