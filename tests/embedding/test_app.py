"""The service as a process of its own: settings from the environment, an orderly end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
from gandl_shared.clients.wire import NPY, to_npy
from gandl_shared.testing import PATIENCE, wait_until

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
            wait_until(lambda: is_ready(url), what="readiness", every=0.02)
            body = to_npy(np.zeros((2000, 5, 64, 64), np.uint8))
            with ThreadPoolExecutor(1) as pool:
                headers = {"Content-Type": NPY, "Accept": NPY}
                answer = pool.submit(httpx.post, f"{url}/embed", content=body, headers=headers, timeout=PATIENCE)
                wait_until(lambda: has_waiting_tiles(url), what="tiles that wait", every=0.005)
                process.send_signal(signal.SIGTERM)
                assert answer.result(PATIENCE).status_code == 200
            # uvicorn ends in order and then raises the signal again, as a shell expects.
            assert process.wait(PATIENCE) in (0, -signal.SIGTERM)
        finally:
            process.kill()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False  # nothing listens yet


def has_waiting_tiles(url: str) -> bool:
    """Whether the first run is done and tiles still wait."""
    lines = httpx.get(f"{url}/metrics", timeout=PATIENCE).text.splitlines()
    metrics = dict(line.rsplit(" ", 1) for line in lines if line.startswith("gandl_embedding_"))
    return float(metrics["gandl_embedding_queue_tiles"]) > 0
