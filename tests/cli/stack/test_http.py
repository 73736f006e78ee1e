"""The one HTTP server of the embedded stack answers for every part."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from gandl.stack.http import build

from tests.embedding.fixtures.tiny_model import tiny_model


def test_one_port_has_the_routes_of_both_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    tiny_model(tmp_path / "models" / "tiny.onnx")
    monkeypatch.setenv("GANDL_EMBEDDING_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("GANDL_ANALYSIS_DATABASE_URL", f"sqlite:///{tmp_path / 'gandl.db'}")
    monkeypatch.setenv("GANDL_ANALYSIS_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("GANDL_ANALYSIS_IMAGE_ROOT", str(tmp_path))
    app = build()
    paths = app.openapi()["paths"]
    assert {"/embed", "/models", "/screens", "/compounds", "/health/ready"} <= paths.keys()
    with TestClient(app) as client:
        assert client.get("/health/live").status_code == 200
        assert [model["name"] for model in client.get("/models").json()["models"]] == ["tiny"]
