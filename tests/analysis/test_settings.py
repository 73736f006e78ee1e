"""Settings come from the environment and cannot be changed afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.settings import Settings
from pydantic import SecretStr, ValidationError


def test_variables_have_the_prefix_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDL_ANALYSIS_IMAGE_ROOT", "/images")
    monkeypatch.setenv("GANDL_ANALYSIS_STORE", "s3://bucket/gandl")
    monkeypatch.setenv("GANDL_ANALYSIS_API_KEY", "")
    monkeypatch.setenv("GANDL_WORKER_DATABASE_URL", "sqlite:///other.db")
    settings = Settings()
    assert (settings.image_root, settings.store, settings.api_key) == (Path("/images"), "s3://bucket/gandl", None)
    assert settings.database_url == "sqlite:///gandl.db"


def test_a_key_is_not_printed() -> None:
    settings = Settings.model_validate({"api_key": "s3cret", "embedding_api_key": "s3cret"})
    assert "s3cret" not in repr(settings)
    assert settings.embedding_key == "s3cret"


def test_settings_are_frozen_and_within_limits() -> None:
    with pytest.raises(ValidationError):
        Settings().max_headers = 1  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Settings(max_headers=0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [({"reader_key": "r"}, "needs api_key"), ({"reader_key": "k", "api_key": "k"}, "give readers another key")],
)
def test_a_reader_needs_another_key_than_an_editor(keys: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**{name: SecretStr(key) for name, key in keys.items()})
