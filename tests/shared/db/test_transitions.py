"""How batches and analyses that end change the state of their screen."""

from __future__ import annotations

from gandl_shared.db import Database
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.testing import new_screen

from tests.shared.databases import embedded_screen, lease_analysis, lease_batch


def test_one_embedded_site_is_enough_for_an_analysis(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2, sites_per_batch=2))
    assert db.batches.finish(lease_batch(db), {1: "key"}, {0: "broken"}).analysis_id is not None
    assert db.screens.status(screen_id).state is ScreenState.ANALYSING


def test_a_screen_without_an_embedded_site_fails_and_names_the_first(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2, sites_per_batch=2))
    db.batches.finish(lease_batch(db), {}, {0: "broken", 1: "broken too"})
    status = db.screens.status(screen_id)
    assert status.state is ScreenState.FAILED
    assert status.error == "no site could be embedded; the first (plate P1, well A01, site 0): broken"


def test_a_screen_is_analysing_until_its_last_analysis_has_ended(db: Database) -> None:
    screen_id = embedded_screen(db)
    db.analyses.queue(screen_id, AnalysisParameters(seed=2))
    first, second = lease_analysis(db), lease_analysis(db)
    db.analyses.finish(second)
    status = db.screens.status(screen_id)
    assert (status.state, status.analysis_version) == (ScreenState.ANALYSING, 2)
    db.analyses.finish(first)
    status = db.screens.status(screen_id)
    assert (status.state, status.analysis_version) == (ScreenState.DONE, 2), "an older version replaces no newer one"


def test_a_failure_after_a_success_leaves_the_result(db: Database) -> None:
    screen_id = embedded_screen(db)
    db.analyses.finish(lease_analysis(db))
    db.analyses.queue(screen_id, AnalysisParameters(seed=2))
    db.analyses.fail(lease_analysis(db), "too few wells", final=True)
    status = db.screens.status(screen_id)
    assert (status.state, status.error, status.analysis_version) == (ScreenState.DONE, None, 1)


def test_the_only_analysis_that_fails_fails_the_screen(db: Database) -> None:
    screen_id = embedded_screen(db)
    db.analyses.fail(lease_analysis(db), "too few wells", final=True)
    status = db.screens.status(screen_id)
    assert (status.state, status.error) == (ScreenState.FAILED, "too few wells")
    assert status.finished_at is not None
