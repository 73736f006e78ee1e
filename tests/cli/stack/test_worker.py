"""The one worker of the embedded stack serves batches and analyses."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from gandl.stack import worker
from gandl_shared.db import Database
from gandl_shared.jobs.broker import ANALYSIS


@dataclass
class FakeWorker:
    """Stands in for the worker service; records the queues that it serves."""

    db: Database
    celery: Celery = field(default_factory=lambda: Celery("test"))
    queues: list[Any] = field(default_factory=list)

    def serve(self, *queues: Any) -> None:
        self.queues += queues


def test_the_tasks_of_an_analysis_are_registered_and_their_queue_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANDL_ANALYSIS_STORE", str(tmp_path / "store"))
    database = Database.connect(f"sqlite:///{tmp_path / 'gandl.db'}")
    fake = FakeWorker(database)
    monkeypatch.setattr(worker, "build", lambda: fake)
    before = set(fake.celery.tasks)
    worker.main()
    assert fake.queues == [ANALYSIS]
    assert set(fake.celery.tasks) - before
    database.close()
