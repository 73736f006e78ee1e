"""Telling workers that there is work. A message is a hint, never the truth: the database says what is to be done.

A message that is lost is sent again by `Sweep`; one that comes twice finds nothing to lease.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol


class Queue(Protocol):
    """Where batches and analyses are announced."""

    def batch_ready(self, batch_ids: Sequence[int]) -> None:
        """These batches wait in the database. Never raises because the broker is away."""

    def analysis_ready(self, analysis_id: int) -> None:
        """This analysis waits in the database. Never raises because the broker is away."""


class InProcessQueue:
    """Calls the work directly, in this process and thread, for one that needs no broker."""

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
