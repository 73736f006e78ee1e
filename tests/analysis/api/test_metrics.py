"""Metrics of the work in the database."""

from __future__ import annotations

from pathlib import Path

from gandl_analysis.api.metrics import WorkMetrics
from gandl_shared.db import Database
from gandl_shared.testing import new_screen
from prometheus_client import CollectorRegistry


def test_work_is_counted_by_what_can_be_done_with_it(tmp_path: Path) -> None:
    db = Database.connect(f"sqlite:///{tmp_path}/gandl.db")
    registry = CollectorRegistry()
    registry.register(WorkMetrics(lambda: db))
    db.screens.create(new_screen(6))
    lease, away = db.batches.lease("worker", 60), db.batches.lease("worker", 60)
    assert lease is not None
    assert away is not None
    db.batches.wait(away, 60, "a disk is away")
    values = {
        name: registry.get_sample_value(f"gandl_work_{name}", {"kind": "batches"})
        for name in ("ready", "leased", "away")
    }
    assert values == {"ready": 4, "leased": 1, "away": 1}
    assert registry.get_sample_value("gandl_work_ready", {"kind": "analyses"}) == 0
    assert registry.get_sample_value("gandl_screens", {"state": "queued"}) == 1
    assert registry.get_sample_value("gandl_database_up") == 1
    db.close()


def test_a_service_without_a_database_says_so() -> None:
    registry = CollectorRegistry()
    registry.register(WorkMetrics(lambda: None))
    assert registry.get_sample_value("gandl_database_up") == 0
    assert registry.get_sample_value("gandl_work_ready", {"kind": "batches"}) is None
