"""The supervisor of a stack: restarts, limits and the order of the end."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from gandl.stack import supervisor
from gandl.stack.children import Child
from gandl.stack.home import Home
from gandl.stack.supervisor import StackOptions, free_port, running_stack, stop, watch
from gandl_shared.errors import Conflict, Unavailable


def child(folder: Path, name: str, code: str) -> Child:
    return Child(name=name, command=[sys.executable, "-c", code], log=folder / f"{name}.log")


def test_a_free_port_can_be_bound() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))


def test_a_port_in_use_is_named_before_anything_starts(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        options = StackOptions(home=home, images=tmp_path, models=tmp_path, port=port)
        with pytest.raises(Conflict, match=f"port {port} is in use"), running_stack(options):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_dies_again_and_again_ends_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_MAX_CRASHES", 2)
    monkeypatch.setattr(supervisor.signal, "signal", lambda _number, _handler: None)
    dying = child(tmp_path, "dying", "print('why')")
    dying.start()
    with pytest.raises(Unavailable, match=r"dying died 3 times.*\nwhy\nwhy"):
        watch([dying])


def test_the_broker_is_stopped_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(Child, "terminate", lambda self: stopped.append(self.name))
    stop([child(tmp_path, name, "") for name in ("valkey", "http", "worker")])
    assert stopped == ["worker", "http", "valkey"]


def test_a_process_that_does_not_start_is_named_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    home.create()
    broken = child(home.logs, "http", "import sys; print('no such model'); sys.exit(1)")
    monkeypatch.setattr(supervisor, "_children", lambda _options: [broken])
    options = StackOptions(home=home, images=tmp_path, models=tmp_path, port=free_port())
    with (
        pytest.raises(Unavailable, match="http ended with code 1; its log ends:\nno such model"),
        running_stack(options),
    ):
        pass
    assert home.running() is None


def test_the_password_of_the_broker_is_in_no_command(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    options = StackOptions(home=home, images=tmp_path, models=tmp_path, port=8080)
    children = supervisor._children(options)
    assert [c.name for c in children] == ["valkey", "http", "worker"]
    assert children[0].input_text is not None and home.secret() in children[0].input_text
    for process in children:
        assert home.secret() not in " ".join(map(str, process.command))
