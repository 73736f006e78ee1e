"""Analyses as jobs: leased, computed, stored, and settled whatever happens."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from gandl_analysis import tasks
from gandl_analysis.formats.store_layout import read_analysis
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.result import Analysed
from gandl_analysis.settings import Settings
from gandl_analysis.worker import analysis_runs
from gandl_shared.errors import NotEnoughData
from gandl_shared.jobs.broker import RUN_ANALYSIS, make_app
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_worker.screens import run_screen

from tests.analysis.service.stack import Stack


@pytest.fixture
def analysing(stack: Stack) -> str:
    """A screen whose vectors are there and whose analysis waits."""
    run_screen(stack.database, stack.store, stack.models.embedder, stack.waiting)
    return stack.waiting


def _runs_with(stack: Stack, how: object) -> bool:
    return replace(stack.runs(), analyse=how).run()  # type: ignore[arg-type]


def test_an_analysis_is_stored_and_done(stack: Stack, analysing: str) -> None:
    assert stack.runs().run()
    status = stack.database.screens.status(analysing)
    assert (status.state, status.analysis_version) == ("done", 1)
    stored = read_analysis(stack.store, analysing, 1)
    first = read_analysis(stack.store, stack.first, 1)
    assert [w.efficacy for w in stored.wells] == [w.efficacy for w in first.wells]
    assert stored.provenance.screen_name == "waiting"
    assert not stack.runs().run()


def test_too_few_data_fail_for_good_with_their_words(stack: Stack, analysing: str) -> None:
    def refuse(_: ScreenInput) -> Analysed:
        raise NotEnoughData("two controls are too few")

    assert _runs_with(stack, refuse)
    status = stack.database.screens.status(analysing)
    assert (status.state, status.error) == ("failed", "two controls are too few")
    assert not stack.runs().run()
    assert stack.client.get(f"/screens/{analysing}/wells").status_code == 409
    assert stack.client.post(f"/screens/{analysing}/retry").status_code == 202
    stack.work(analysing)
    assert stack.client.get(f"/screens/{analysing}/wells").status_code == 200


def test_a_failure_is_tried_again_and_then_told(stack: Stack, analysing: str) -> None:
    calls = []

    def break_down(_: ScreenInput) -> Analysed:
        calls.append(1)
        raise RuntimeError("no more memory")

    for _ in range(20):
        if stack.database.screens.status(analysing).state == "failed":
            break
        stack.database.waiting()
        _runs_with(stack, break_down)
    assert len(calls) == 3
    assert "no more memory" in (stack.database.screens.status(analysing).error or "")


def test_a_failed_new_version_leaves_the_old_one(stack: Stack) -> None:
    stack.database.analyses.queue(stack.first, AnalysisParameters(seed=5))

    def refuse(_: ScreenInput) -> Analysed:
        raise NotEnoughData("no")

    before = stack.client.get(f"/screens/{stack.first}/wells").json()
    assert _runs_with(stack, refuse)
    assert stack.database.screens.status(stack.first).state == "done"
    assert stack.client.get(f"/screens/{stack.first}/wells").json() == before


def test_a_screen_deleted_meanwhile_leaves_no_files(stack: Stack, analysing: str) -> None:
    def delete_first(screen: ScreenInput) -> Analysed:
        stack.database.screens.delete(analysing)
        return analyse(screen)

    assert not _runs_with(stack, delete_first)
    assert not (stack.home / "store" / analysing).exists()


def test_without_a_kept_card_the_served_model_is_asked(stack: Stack, analysing: str) -> None:
    (stack.home / "store" / analysing / "documents" / "model.json").unlink()
    assert stack.runs().run()
    assert read_analysis(stack.store, analysing, 1).provenance.model == stack.models.embedder.card


def test_the_task_takes_an_id(stack: Stack, analysing: str) -> None:
    celery = make_app("memory://")
    tasks.register(celery, stack.runs())
    number = stack.database.analyses.of_screen(analysing)[0].id
    celery.tasks[RUN_ANALYSIS].apply(args=[number]).get()
    assert stack.database.screens.status(analysing).state == "done"


def test_the_worker_is_made_of_the_settings(stack: Stack) -> None:
    runs = analysis_runs(Settings(store=str(stack.home / "store"), analysis_lease_seconds=7), stack.database)
    assert (runs.lease_seconds, runs.analyse) == (7, analyse)
    assert runs.store.documents(stack.first) == (
        "analyses/1/axes/E2-U2OS.npz",
        "analyses/1/compounds.json",
        "analyses/1/result.json",
        "analyses/1/sites.json",
        "analyses/1/tiles.parquet",
        "model.json",
    )


def test_a_stored_analysis_is_plain_json(stack: Stack) -> None:
    path = Path(stack.home / "store" / stack.first / "documents/analyses/1/result.json")
    assert set(json.loads(path.read_text())) == {"wells", "curves", "quality", "parked", "provenance", "axes", "notes"}
