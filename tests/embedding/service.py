"""The embedding service with tiny models, behind a test client of this process or behind real HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gandl_embedding.app import build
from gandl_embedding.settings import Settings

from tests.embedding.tiny_model import tiny_model


@contextmanager
def ready_client(settings: Settings) -> Iterator[TestClient]:
    """An application in this process, past its warm-up."""
    with TestClient(build(settings), raise_server_exceptions=False) as client:
        wait_until_ready(lambda: client.get("/health/ready").status_code)
        yield client


@contextmanager
def ready_server(settings: Settings) -> Iterator[str]:
    """The address of a service behind real HTTP, past its warm-up."""
    with http_server(build(settings)) as url:
        wait_until_ready(lambda: httpx.get(f"{url}/health/ready").status_code)
        yield url


def wait_until_ready(status: Callable[[], int]) -> None:
    """Wait until `status` returns 200, for at most ten seconds."""
    end = time.monotonic() + 10
    while status() != 200:
        assert time.monotonic() < end, "not ready in time"
        time.sleep(0.01)


@contextmanager
def http_server(app: FastAPI) -> Iterator[str]:
    """uvicorn in a thread, on a port that the system chooses, stopped in order."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A valid model: 2 channels, 16 × 16 tiles at half resolution, 512 features."""
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two models: `five` (5 channels, full resolution) and `two` (2 channels, half resolution)."""
    folder = tmp_path_factory.mktemp("models")
    tiny_model(folder / "five.onnx", channels=5, size=32, downscale=1)
    tiny_model(folder / "two.onnx")
    return folder


@pytest.fixture(scope="module")
def client(models_dir: Path) -> Iterator[TestClient]:
    """The service in this process, ready, `two` the default."""
    with ready_client(Settings(models_dir=models_dir, default_model="two", threads=1)) as client:
        yield client


@pytest.fixture(scope="session")
def server(models_dir: Path) -> Iterator[str]:
    """The address of the service behind real HTTP on a free port."""
    with ready_server(Settings(models_dir=models_dir, default_model="two", threads=1)) as url:
        yield url
