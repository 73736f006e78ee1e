"""The settings that every process of jobs has."""

from __future__ import annotations

import pytest
from gandl_analysis.settings import Settings as AnalysisSettings
from gandl_shared.jobs.settings import JobSettings
from gandl_worker.settings import Settings as WorkerSettings


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
