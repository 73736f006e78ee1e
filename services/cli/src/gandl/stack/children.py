"""Child processes that end with this process: it stops them, and Linux stops them if it is killed."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

_PR_SET_PDEATHSIG = 1


@dataclass(kw_only=True)
class Child:
    """One supervised process. Its output is appended to the file `log`; `input_text` goes to its stdin.

    After a death, `due` is the time of the next start by the monotonic clock, and `crashes` counts deaths in a row.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    input_text: str | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    crashes: int = 0
    due: float | None = None

    def start(self) -> None:
        """Start the process in its own session, so that Ctrl-C reaches only the supervisor."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE if self.input_text is not None else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - no other thread runs when children start
            )
        self.started, self.due = monotonic(), None
        if self.input_text is not None and self.process.stdin is not None:
            self.process.stdin.write(self.input_text.encode())
            self.process.stdin.close()

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None before the start and while the process runs."""
        return self.process.poll() if self.process else None

    def terminate(self) -> None:
        """Send SIGTERM to the process if it runs."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait_or_kill(self, seconds: float) -> None:
        """Wait for the end of the process, then kill its whole session, so that no pool process stays behind."""
        if not self.process:
            return
        # Whether it ended by itself or not, its session may still have pool processes.
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()

    def last_lines(self, count: int = 5) -> str:
        """Return the last lines of the log, for a message."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-count:])


def _die_with(parent: int) -> Callable[[], None] | None:
    """Return a step before exec that makes Linux send SIGTERM when the parent ends for any reason."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def request_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have ended before the request, and then no signal would ever come.
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return request_signal
