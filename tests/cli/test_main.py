"""The entry point of the command line."""

from __future__ import annotations

import subprocess
import sys

LIST_COMMANDS = """
import sys
from gandl.main import run
sys.argv = ["gandl", "--help"]
try:
    run()
finally:
    heavy = {"numpy", "onnxruntime", "pandas", "scipy", "torch"} & set(sys.modules)
    assert not heavy, heavy
"""


def test_the_list_of_commands_loads_nothing_heavy() -> None:
    process = subprocess.run(
        [sys.executable, "-c", LIST_COMMANDS], capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stderr
    assert "embed" in process.stdout
