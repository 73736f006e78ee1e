"""A database for tests of single modules, and the steps that bring a screen through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gandl_shared.db import Database, LeasedAnalysis, LeasedBatch
from gandl_shared.testing import new_screen


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database. The contract tests repeat what matters on PostgreSQL."""
    database = Database.connect(f"sqlite:///{tmp_path}/gandl.db")
    yield database
    database.close()


def lease_batch(db: Database, screen_id: str | None = None) -> LeasedBatch:
    """Lease a batch that must be there."""
    lease = db.batches.lease("test", 60, screen_id=screen_id)
    assert lease is not None
    return lease


def lease_analysis(db: Database) -> LeasedAnalysis:
    """Lease an analysis that must be there."""
    lease = db.analyses.lease("test", 60)
    assert lease is not None
    return lease


def finish_batch(db: Database, lease: LeasedBatch) -> int | None:
    """Finish a batch with a key for each of its sites; return the analysis that this queued."""
    return db.batches.finish(lease, {s.number: f"key-{s.number}" for s in lease.sites}, {}).analysis_id


def embedded_screen(db: Database, wells: int = 2) -> str:
    """Create a screen whose batches are all done and whose analysis is queued; return its id."""
    screen_id = db.screens.create(new_screen(wells, sites_per_batch=wells))
    assert finish_batch(db, lease_batch(db, screen_id)) is not None
    return screen_id
