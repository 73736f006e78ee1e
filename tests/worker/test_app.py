"""A worker that is built from its settings."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from gandl_shared.errors import Unavailable
from gandl_shared.jobs.broker import RUN_BATCH
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.testing import FakeEmbedder, free_port
from gandl_worker.app import build
from gandl_worker.settings import Settings

from tests.worker.bench import Bench


def test_a_built_worker_runs_the_batches_of_its_database(bench: Bench, tmp_path: Path) -> None:
    """The broker is away, which must not keep the batches from being stored."""
    screen_id = bench.submit(sites_per_batch=24)
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/gandl.db",
        store=str(tmp_path / "store"),
        broker_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    worker = build(settings, embedders=lambda _: contextlib.nullcontext(FakeEmbedder()))
    (batch_id,) = bench.db.batches.queued_ids(screen_id)
    worker.celery.tasks[RUN_BATCH](batch_id)
    assert bench.db.screens.status(screen_id).state is ScreenState.ANALYSING
    assert len(bench.store.profiles(screen_id)) == 24 * 4
    worker.db.close()


def test_a_database_that_does_not_answer_is_reported_at_once() -> None:
    url = f"postgresql://gandl@127.0.0.1:{free_port()}/gandl?connect_timeout=2"
    with pytest.raises(Unavailable, match="does not answer"):
        build(Settings(database_url=url))
