"""Settings of a worker come from the environment."""

from __future__ import annotations

import pytest
from gandl_worker.settings import Settings
from pydantic import ValidationError


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDL_WORKER_CONCURRENCY", "3")
    monkeypatch.setenv("GANDL_WORKER_EMBEDDING_API_KEY", "secret")
    monkeypatch.setenv("GANDL_WORKER_STORE", "")
    settings = Settings()
    assert (settings.concurrency, settings.store) == (3, "gandl-store")
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(("name", "value"), [("CONCURRENCY", "0"), ("LEASE_SECONDS", "0.5"), ("SWEEP_SECONDS", "0")])
def test_values_that_cannot_work_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GANDL_WORKER_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()
