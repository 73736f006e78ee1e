"""Fixtures of the cases."""

from __future__ import annotations

import pytest

from tests.cli.command_line import Gandl, command_line


@pytest.fixture
def gandl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gandl:
    """Run the command in this process."""
    return command_line(monkeypatch, capsys)
