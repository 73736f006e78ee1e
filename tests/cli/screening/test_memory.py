"""Freed memory is kept where the C library can do so, and nothing happens elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from gandl.screening import memory

COUNT = """
import resource, numpy as np
from gandl.screening.memory import keep_freed_memory
kept = keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.empty(5_000_000)[:] = 1
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(kept, faults)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has glibc")
def test_the_second_array_of_a_size_is_no_new_memory() -> None:
    answer = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True).stdout.split()
    assert answer[0] == "False" or int(answer[1]) < 100


def test_only_a_large_table_changes_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(memory, "keep_freed_memory", lambda: calls.append(True))
    (tmp_path / "t.csv").write_bytes(b"0123456789")
    memory.keep_memory_for([tmp_path, tmp_path / "none.csv", tmp_path / "t.csv"])
    assert calls == []
    monkeypatch.setattr(memory, "MIN_LARGE_BYTES", 10)
    memory.keep_memory_for([tmp_path / "t.csv"])
    assert calls == [True]


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert memory.keep_freed_memory() is False
