"""Child processes: their output, input and end."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest
from gandl.stack.children import Child
from gandl_shared.testing import PATIENCE, wait_until


def child(log: Path, code: str, **values: object) -> Child:
    return Child(name="child", command=[sys.executable, "-c", code], log=log, **values)  # type: ignore[arg-type]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


def test_output_goes_to_the_log_and_the_password_to_stdin(log: Path) -> None:
    code = "import os, sys; print(os.environ['GANDL_X'], sys.stdin.read()[::-1]); sys.exit(3)"
    process = child(log, code, environment={"GANDL_X": "x"}, input_text="terces")
    assert process.exit_code is None
    process.start()
    process.wait_or_kill(PATIENCE)
    assert process.exit_code == 3
    assert process.last_lines() == "x secret"
    assert "secret" not in " ".join(process.command)


def test_a_second_start_appends_to_the_log(log: Path) -> None:
    process = child(log, "print('line')")
    for _ in range(2):
        process.start()
        process.wait_or_kill(PATIENCE)
    assert process.last_lines() == "line\nline"
    assert process.last_lines(1) == "line"


def test_a_process_that_ignores_the_signal_is_killed_with_its_children(log: Path) -> None:
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print(p.pid, flush=True);"
        "time.sleep(60)"
    )
    process = child(log, code)
    process.start()
    wait_until(lambda: process.last_lines() != "", what="the pid of the grandchild")
    grandchild = int(process.last_lines())
    process.terminate()
    process.wait_or_kill(0.1)
    assert process.exit_code == -9
    wait_until(lambda: has_ended(grandchild), what="the end of the grandchild")


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_without_a_start_there_is_nothing_to_stop(log: Path) -> None:
    process = child(log, "pass")
    process.terminate()
    process.wait_or_kill(0)
    assert process.last_lines() == ""


def test_a_child_ends_with_its_parent(tmp_path: Path, log: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux signals the children of a killed process")
    code = (
        "import sys, time; from pathlib import Path; from gandl.stack.children import Child;"
        "command = [sys.executable, '-c', 'import time; time.sleep(60)'];"
        f"c = Child(name='c', command=command, log=Path({str(tmp_path)!r}, 'c'));"
        "c.start(); print(c.process.pid, flush=True); time.sleep(60)"
    )
    parent = child(log, code)
    parent.start()
    wait_until(lambda: parent.last_lines() != "", what="the pid of the child")
    pid = int(parent.last_lines())
    assert parent.process is not None
    parent.process.kill()
    parent.wait_or_kill(10)
    wait_until(lambda: has_ended(pid), what="the end of the child")
