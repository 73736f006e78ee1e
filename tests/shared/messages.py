"""A queue that keeps its messages, so that a test can read and lose them."""

from __future__ import annotations

from collections.abc import Sequence

from gandl_shared.db import Waiting


class Messages:
    """The messages that were sent and that no worker has received."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.analyses: list[int] = []

    def batch_ready(self, batch_ids: Sequence[int]) -> None:
        """Keep the ids of the batches."""
        self.batches += batch_ids

    def analysis_ready(self, analysis_id: int) -> None:
        """Keep the id of the analysis."""
        self.analyses.append(analysis_id)

    def waiting(self) -> Waiting:
        """Count the messages."""
        return Waiting(batches=len(self.batches), analyses=len(self.analyses))
