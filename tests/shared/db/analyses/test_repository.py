"""Analyses are versions of a screen's result, leased and given back as batches are."""

from __future__ import annotations

import pytest
from gandl_shared.db import Database
from gandl_shared.errors import Conflict, NotFound
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.schemas.states import AnalysisState
from gandl_shared.testing import new_screen

from tests.shared.databases import embedded_screen, lease_analysis, lease_batch


def states(db: Database, screen_id: str) -> list[AnalysisState]:
    return [record.state for record in db.analyses.of_screen(screen_id)]


def test_a_leased_analysis_is_running_to_others(db: Database) -> None:
    screen_id = embedded_screen(db)
    assert states(db, screen_id) == [AnalysisState.QUEUED]
    lease = lease_analysis(db)
    assert states(db, screen_id) == [AnalysisState.RUNNING]
    assert db.analyses.finish(lease)
    record = db.analyses.get(screen_id, 1)
    assert (record.state, record.finished_at is None) == (AnalysisState.DONE, False)


def test_each_request_is_a_further_version_with_its_own_parameters(db: Database) -> None:
    screen_id, parameters = embedded_screen(db), AnalysisParameters(seed=7)
    record = db.analyses.queue(screen_id, parameters)
    assert (record.version, record.parameters) == (2, parameters)
    lease = db.analyses.lease("test", 60, analysis_id=record.id)
    assert lease is not None
    assert (lease.version, lease.parameters) == (2, parameters)


def test_a_failed_analysis_is_tried_again_unless_the_failure_is_final(db: Database) -> None:
    screen_id = embedded_screen(db)
    assert db.analyses.fail(lease_analysis(db), "out of memory")
    assert states(db, screen_id) == [AnalysisState.QUEUED]
    assert db.analyses.fail(lease_analysis(db), "too few wells", final=True)
    record = db.analyses.get(screen_id, 1)
    assert (record.state, record.error) == (AnalysisState.FAILED, "too few wells")


def test_a_screen_whose_images_are_not_done_cannot_be_analysed(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2))
    with pytest.raises(Conflict, match="once its images are done"):
        db.analyses.queue(screen_id, AnalysisParameters())


def test_a_screen_without_vectors_cannot_be_analysed(db: Database) -> None:
    screen_id = db.screens.create(new_screen(1))
    db.batches.finish(lease_batch(db), {}, {0: "cannot be decoded"})
    with pytest.raises(Conflict, match="no vectors to analyse"):
        db.analyses.queue(screen_id, AnalysisParameters())


def test_an_analysis_that_loses_every_worker_fails_the_screen(db: Database) -> None:
    screen_id = embedded_screen(db)
    for _ in range(3):
        db.analyses.renew(lease_analysis(db), -1)
    db.analyses.fail_exhausted()
    assert db.screens.status(screen_id).state is ScreenState.FAILED
    assert db.analyses.get(screen_id, 1).error == "the worker of the analysis was lost 3 times"


def test_versions_that_are_not_there(db: Database) -> None:
    screen_id = embedded_screen(db)
    with pytest.raises(NotFound, match="no such analysis"):
        db.analyses.get(screen_id, 2)
    with pytest.raises(NotFound, match="no screen 'other'"):
        db.analyses.of_screen("other")
