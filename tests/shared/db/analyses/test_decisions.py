"""The trail of decisions: numbered, never changed, and one transaction with the version that it makes."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.db import Database
from gandl_shared.db.engine import open_engine
from gandl_shared.errors import Conflict, NotFound
from gandl_shared.schemas.analysis import AnalysisParameters, ExcludedItem
from gandl_shared.schemas.analysis.decisions import AssessedCurve, DecisionKind, DecisionRequest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.shared.databases import embedded_screen, lease_analysis

WELL = ExcludedItem(level="well", plate="P1", well="A01")
EXCLUDE = DecisionRequest(kind=DecisionKind.EXCLUDE, items=(WELL,), reason="a bubble", author="Ann")


def test_a_decision_and_its_version_are_stored_together(db: Database) -> None:
    screen_id = embedded_screen(db)
    assert db.decisions.of_screen(screen_id) == ()
    recorded = db.decisions.record(screen_id, EXCLUDE, number=1, parameters=AnalysisParameters(seed=3))
    decision = recorded.decision
    assert (decision.number, decision.version, decision.items, decision.author) == (1, 2, (WELL,), "Ann")
    assert db.analyses.get(screen_id, 2).id == recorded.analysis_id
    assert db.decisions.of_screen(screen_id) == (decision,)


def test_of_two_decisions_at_once_the_second_is_refused_without_a_trace(db: Database) -> None:
    screen_id = embedded_screen(db)
    db.decisions.record(screen_id, EXCLUDE, number=1, parameters=AnalysisParameters())
    with pytest.raises(Conflict, match="made meanwhile"):
        db.decisions.record(screen_id, EXCLUDE, number=1, parameters=AnalysisParameters())
    assert len(db.decisions.of_screen(screen_id)) == 1
    assert len(db.analyses.of_screen(screen_id)) == 2


def test_the_database_itself_refuses_to_change_a_decision(db: Database, tmp_path: Path) -> None:
    screen_id = embedded_screen(db)
    curve = AssessedCurve(compound="X", cell_line="U2OS", ec50_um=2.0)
    request = DecisionRequest(kind=DecisionKind.ASSESS, curve=curve, reason="by eye", author="Ann")
    db.decisions.record(screen_id, request, number=1, parameters=None)
    engine = open_engine(f"sqlite:///{tmp_path}/gandl.db")
    for change in ("UPDATE decisions SET reason = 'other'", "UPDATE assessments SET ec50_um = 1"):
        with engine.connect() as connection, pytest.raises(IntegrityError, match="never changed"):
            connection.execute(text(change))
    engine.dispose()
    # Only the screen itself takes its trail along.
    db.screens.delete(screen_id)
    with pytest.raises(NotFound):
        db.decisions.of_screen(screen_id)


def test_a_later_analysis_leaves_out_what_stands_excluded_unless_it_says_otherwise(db: Database) -> None:
    screen_id = embedded_screen(db)
    db.decisions.record(screen_id, EXCLUDE, number=1, parameters=AnalysisParameters())
    record = db.analyses.queue(screen_id, AnalysisParameters())
    assert record.parameters.exclusions is not None
    assert [(e.item, e.text, e.decision) for e in record.parameters.exclusions] == [
        (WELL, "excluded by Ann: a bubble", 1)
    ]
    assert db.analyses.queue(screen_id, AnalysisParameters(exclusions=())).parameters.exclusions == ()


def test_a_screen_that_is_retried_keeps_what_was_excluded(db: Database) -> None:
    screen_id = embedded_screen(db)
    db.analyses.fail(lease_analysis(db), "out of memory", final=True)
    db.decisions.record(screen_id, EXCLUDE, number=1, parameters=AnalysisParameters())
    db.analyses.fail(lease_analysis(db), "out of memory", final=True)
    db.screens.retry(screen_id)
    newest = db.analyses.of_screen(screen_id)[-1]
    assert newest.version == 3
    assert newest.parameters.exclusions is not None
    assert newest.parameters.exclusions[0].item == WELL
