"""Reading ahead after a start: what it reads, where it stops, and that it never fails a start."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from gandl_analysis.app import build
from gandl_analysis.formats.store_layout import analysis_bytes
from gandl_analysis.service.analyses.warm_up import MAX_BYTES, WarmUp
from gandl_analysis.service.results import Results
from gandl_shared.db import Database
from gandl_shared.errors import NotFound, Outage
from gandl_shared.store import Store

from tests.analysis.service.stack import FakeModels, SilentQueue, Stack, settings_of

RESULT = "analyses/1/result.json"


def warmed(stack: Stack, *, max_screens: int = 8, max_bytes: int = MAX_BYTES) -> Results:
    """Return results of which the newest ones have been read ahead."""
    results = Results(stack.database, stack.store)
    warm_up = WarmUp(stack.database, stack.store, results, max_screens=max_screens, max_bytes=max_bytes, pause=0)
    warm_up.run()
    return results


def is_in_memory(stack: Stack, results: Results, screen: str) -> bool:
    """Whether an analysis is there although its file is gone."""
    content = stack.store.document(screen, RESULT)
    file = stack.home / "store" / screen / "documents" / RESULT
    file.unlink()
    try:
        results.of(screen)
    except NotFound:
        return False
    finally:
        stack.store.put_document(screen, RESULT, content)
    return True


def test_the_newest_analyses_are_read_before_anybody_asks(stack: Stack) -> None:
    results = warmed(stack)
    assert is_in_memory(stack, results, stack.first)
    assert is_in_memory(stack, results, stack.second)


def test_no_more_screens_and_bytes_than_the_limits(stack: Stack) -> None:
    # The newest screen waits and has no result, the second newest is "second".
    results = warmed(stack, max_screens=2)
    assert is_in_memory(stack, results, stack.second)
    assert not is_in_memory(stack, results, stack.first)
    results = warmed(stack, max_bytes=analysis_bytes(stack.store, stack.second, 1) - 1)
    assert not is_in_memory(stack, results, stack.second)


def test_a_damaged_analysis_is_logged_and_the_others_are_read(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    stack.store.put_document(stack.second, RESULT, "{")
    results = warmed(stack)
    assert is_in_memory(stack, results, stack.first)
    (record,) = [record for record in caplog.records if record.name.endswith("warm_up")]
    assert record.levelno == logging.WARNING
    assert f"version 1 of screen {stack.second} is not read ahead" in record.getMessage()


def test_a_screen_that_is_deleted_meanwhile_is_left_out(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    stack.store.delete(stack.second)
    results = warmed(stack)
    assert is_in_memory(stack, results, stack.first)
    assert not [record for record in caplog.records if record.name.endswith("warm_up")]


def test_a_store_that_is_away_is_logged(
    stack: Stack, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise Outage("the store cannot be reached")

    monkeypatch.setattr(Store, "document_bytes", fail)
    warmed(stack)
    assert "is not read ahead of its first reader: the store cannot be reached" in caplog.text


def test_a_database_that_is_away_is_logged(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    closed = Database.connect(stack.settings.database_url)
    closed.close()
    (stack.home / "gandl.db").unlink()
    WarmUp(closed, stack.store, Results(closed, stack.store), max_screens=8).run()
    assert "no analysis is read ahead of its first reader" in caplog.text


def test_a_damaged_analysis_does_not_fail_a_start(seeded: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(seeded, home)
    for file in (home / "store").glob(f"*/documents/{RESULT}"):
        file.write_text("{")
    with TestClient(build(settings_of(home), queue=SilentQueue(), models=FakeModels())) as client:
        assert client.get("/health/ready").status_code == 200
        assert client.get("/ui/").status_code == 200
