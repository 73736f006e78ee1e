"""The service as a process of its own: settings from the environment, an orderly end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
from gandl_shared.clients.wire import NPY, to_npy

from tests.embedding.fixtures.tiny_model import tiny_model


def test_a_request_under_way_is_answered_when_the_service_is_told_to_stop(tmp_path: Path) -> None:
    """SIGTERM in the middle of a request: it gets its vectors, and the process ends without error."""
    tiny_model(tmp_path / "m.onnx", channels=5, size=64)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GANDL_EMBEDDING_MODELS_DIR": str(tmp_path), "GANDL_EMBEDDING_THREADS": "1"}
    command = [sys.executable, "-m", "uvicorn", "--factory", "gandl_embedding.app:build", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url)
            body = to_npy(np.zeros((2000, 5, 64, 64), np.uint8))
            with ThreadPoolExecutor(1) as pool:
                headers = {"Content-Type": NPY, "Accept": NPY}
                answer = pool.submit(httpx.post, f"{url}/embed", content=body, headers=headers, timeout=30)
                wait_until_working(url)
                process.send_signal(signal.SIGTERM)
                assert answer.result(30).status_code == 200
            # uvicorn ends in order and then raises the signal again, as a shell expects.
            assert process.wait(20) in (0, -signal.SIGTERM)
        finally:
            process.kill()


def wait_until_ready(url: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.02)
    raise AssertionError("not ready in 20 s")


def wait_until_working(url: str) -> None:
    """Until the first run is done and tiles still wait."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        lines = httpx.get(f"{url}/metrics").text.splitlines()
        figures = dict(line.rsplit(" ", 1) for line in lines if line.startswith("gandl_embedding_"))
        if float(figures["gandl_embedding_queue_tiles"]) > 0:
            return
        time.sleep(0.005)
    raise AssertionError("no tiles were waiting in 20 s")
