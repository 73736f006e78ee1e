"""The settings that every process of jobs has."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.settings import Settings as AnalysisSettings
from gandl_shared.jobs.settings import JobSettings, with_password
from gandl_worker.settings import Settings as WorkerSettings
from pydantic import SecretStr


@pytest.mark.parametrize(("settings", "prefix"), [(WorkerSettings, "WORKER"), (AnalysisSettings, "ANALYSIS")])
def test_each_part_reads_the_shared_fields_under_its_own_prefix(
    monkeypatch: pytest.MonkeyPatch, settings: type[JobSettings], prefix: str
) -> None:
    for name in JobSettings.model_fields:
        monkeypatch.setenv(f"GANDL_{prefix}_{name.upper()}", f"value of {name}")
    values = settings()
    assert (values.database_url, values.store) == ("value of database_url", "value of store")
    assert values.embedding_key == "value of embedding_api_key"


def test_without_a_key_none_is_sent() -> None:
    assert WorkerSettings().embedding_key is None


def test_passwords_come_from_files_and_get_into_addresses(tmp_path: Path) -> None:
    (tmp_path / "gandl_worker_database_password").write_text("a/b@c\n")
    (tmp_path / "gandl_worker_broker_password").write_text("secret")
    (tmp_path / "gandl_worker_embedding_api_key").write_text("")
    values = WorkerSettings(
        _secrets_dir=tmp_path,
        database_url="postgresql://gandl@postgres:5432/gandl",
        broker_url="redis://valkey:6379/0",
    )
    assert values.database == "postgresql://gandl:a%2Fb%40c@postgres:5432/gandl"
    assert values.broker == "redis://:secret@valkey:6379/0"
    assert values.embedding_key is None, "an empty file means no key"
    assert "a/b@c" not in repr(values)


def test_without_a_password_an_address_stays_as_it_is() -> None:
    assert with_password("sqlite:///gandl.db", None) == "sqlite:///gandl.db"
    assert with_password("redis://:old@h/0", SecretStr("new")) == "redis://:new@h/0"
