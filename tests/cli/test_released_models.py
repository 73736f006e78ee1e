"""The folder of the released models."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.released_models import released_model, released_models
from gandl_shared.errors import NotFound


def test_the_folder_of_the_checkout_is_the_default(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANDL_MODELS_DIR", raising=False)
    assert released_models() == repository / "models"
    assert released_model("gandl-sim5-64").is_file()


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"")
    monkeypatch.setenv("GANDL_MODELS_DIR", str(tmp_path))
    assert released_model("mine") == tmp_path / "mine.onnx"
    with pytest.raises(NotFound, match="there is no released model other in"):
        released_model("other")


def test_a_folder_without_models_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDL_MODELS_DIR", str(tmp_path))
    with pytest.raises(NotFound, match=f"no released models in {tmp_path}; set GANDL_MODELS_DIR"):
        released_models()
