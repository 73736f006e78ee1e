"""A tiny model for every test of the embedding service."""

from __future__ import annotations

import importlib.util
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gandl_embedding.app import build
from gandl_embedding.settings import Settings


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


@pytest.fixture(scope="session")
def models_dir(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two models: `five` (5 channels, full resolution) and `two` (2 channels, half resolution)."""
    folder = tmp_path_factory.mktemp("served")
    tiny.tiny_model(folder / "five.onnx", channels=5, size=32, downscale=1)
    tiny.tiny_model(folder / "two.onnx")
    return folder


@pytest.fixture(scope="module")
def client(models_dir: Path) -> Iterator[TestClient]:
    """The service in this process, ready, `two` the default."""
    with ready_client(Settings(models_dir=models_dir, default_model="two", threads=1)) as client:
        yield client


@contextmanager
def ready_client(settings: Settings) -> Iterator[TestClient]:
    """An application in this process, past its warm-up."""
    with TestClient(build(settings), raise_server_exceptions=False) as client:
        wait_until_ready(lambda: client.get("/health/ready").status_code)
        yield client


def wait_until_ready(status: Callable[[], int]) -> None:
    """Until `status` gives 200, for at most ten seconds."""
    end = time.monotonic() + 10
    while status() != 200:
        assert time.monotonic() < end, "not ready in time"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def serve_ready() -> Callable[[Settings], AbstractContextManager[TestClient]]:
    """`ready_client`, for tests with settings of their own."""
    return ready_client


@pytest.fixture(scope="session")
def server(models_dir: Path) -> Iterator[str]:
    """The address of the service behind real HTTP on a free port."""
    with served(build(Settings(models_dir=models_dir, default_model="two", threads=1))) as url:
        wait_until_ready(lambda: httpx.get(f"{url}/health/ready").status_code)
        yield url


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """uvicorn in a thread, on a port the system chose, stopped in order."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning")
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
