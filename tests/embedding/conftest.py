"""A tiny model for every test of the embedding service."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    """The tests are no package (importlib mode), so a module beside this file is loaded by its path, once."""
    full = f"embedding_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The module `tiny_model`: makes small valid and broken models."""
    return _load("tiny_model")


@pytest.fixture(scope="session")
def model_file(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A valid model: 2 channels, 16 × 16 tiles at half resolution, 512 features."""
    path: Path = tiny.tiny_model(tmp_path_factory.mktemp("models") / "tiny.onnx")
    return path
