"""The command line in the process of the tests, which is much faster than a new process for each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from gandl import main


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


Gandl = Callable[..., Ended]


def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gandl:
    """Return a function that runs `gandl` with arguments."""

    def gandl(*arguments: object) -> Ended:
        monkeypatch.setattr("sys.argv", ["gandl", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        output = capsys.readouterr()
        return Ended(code=int(ended.value.code or 0), out=output.out, err=output.err)

    return gandl
