"""Settings come from the environment and are within limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_embedding.settings import Settings
from pydantic import ValidationError


def test_variables_have_the_prefix_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDL_EMBEDDING_MODELS_DIR", "/models")
    monkeypatch.setenv("GANDL_EMBEDDING_BATCH_TILES", "")
    monkeypatch.setenv("GANDL_EMBEDDING_DEVICE", "cuda")
    settings = Settings()
    assert (settings.models_dir, settings.batch_tiles, settings.device) == (Path("/models"), None, "cuda")


@pytest.mark.parametrize("fields", [{"device": "tpu"}, {"body_mib": 0}, {"deadline_s": 0}, {"batch_wait_ms": 1001}])
def test_values_out_of_range_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(fields)
