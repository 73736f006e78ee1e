"""A user's view: the `gandl` command in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def gandl() -> Run:
    """Run the installed command with arguments; output is captured as text."""
    command = Path(sys.executable).with_name("gandl")

    def run(*arguments: object, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        line = [str(command), *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, timeout=timeout, check=False)

    return run
