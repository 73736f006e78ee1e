"""The supervisor of a stack: restarts, limits and the order of the end."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
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


def run_watch(monkeypatch: pytest.MonkeyPatch, children: list[Child], ends: Callable[[list[str]], bool]) -> list[str]:
    """Watch children until `ends` is true of what the supervisor has told; return that."""
    handlers: list[Callable[[int, None], None]] = []
    monkeypatch.setattr(supervisor.signal, "signal", lambda _number, handler: handlers.append(handler))
    texts: list[str] = []

    def tell(text: str) -> None:
        texts.append(text)
        if ends(texts):
            handlers[0](15, None)

    watch(children, tell)
    return texts


def test_a_process_that_dies_again_and_again_starts_after_longer_pauses_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.001)
    dying = child(tmp_path, "dying", "print('why'); raise SystemExit(3)")
    dying.start()
    texts = run_watch(monkeypatch, [dying], lambda lines: len(lines) == 8)
    assert texts[0].startswith("dying ended with code 3; it starts again in 0.0 s (time 1); the last line of ")
    assert texts[-1].endswith(": why")
    assert "(time 8)" in texts[-1]
    assert dying.due is not None


def test_a_process_that_cannot_start_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.001)
    dying = child(tmp_path, "dying", "")
    dying.start()
    dying.log = tmp_path / "gone" / "dying.log"
    texts = run_watch(monkeypatch, [dying], lambda lines: len(lines) == 3)
    assert "dying cannot start: [Errno 2]" in texts[1]


def test_pauses_grow_to_a_minute(tmp_path: Path) -> None:
    dead, pauses = child(tmp_path, "dead", ""), []
    for crashes in (1, 2, 9, 1000):
        now = time.monotonic()
        supervisor._plan(dead, "ended", crashes, lambda _: None)
        assert dead.due is not None
        pauses.append(dead.due - now)
    assert pauses == pytest.approx([0.2, 0.4, 51.2, 60], abs=0.05)


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


SERVER = """
import pathlib, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
folder = pathlib.Path(sys.argv[1])
class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        if not (folder / "hung").exists():
            threading.Event().wait()
        body = b'{"error": "Unavailable", "detail": "the models are warming up", "problems": []}'
        self.send_response(200 if (folder / "warm").exists() else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Health).serve_forever()
"""


def test_a_start_on_a_busy_machine_takes_as_long_as_it_needs_and_says_what_it_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    home.create()
    options = StackOptions(home=home, images=tmp_path, models=tmp_path, port=free_port())
    command = [sys.executable, "-c", SERVER, str(tmp_path), str(options.port)]
    server = Child(name="http", command=command, log=home.logs / "http.log")
    monkeypatch.setattr(supervisor, "_children", lambda _options: [server])
    monkeypatch.setattr(supervisor, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "_ANSWER_SECONDS", 1.0)
    texts: list[str] = []

    def tell(text: str) -> None:
        texts.append(text)
        if "did not answer within 1 s" in text:
            (tmp_path / "hung").touch()
        if "the models are warming up" in text:
            (tmp_path / "warm").touch()

    with running_stack(options, tell):
        assert home.running() is not None
    assert texts[-1].startswith("still starting after ")
    assert texts[-1].endswith(f" s: the models are warming up; logs are in {home.logs}")
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
