"""Which commit of the code a run was trained with, noted in the run for the card of what is exported from it."""

from __future__ import annotations

import subprocess
from pathlib import Path

COMMIT = "commit.txt"
SECONDS = 10


def checkout_commit(file: Path = Path(__file__)) -> str | None:
    """Short hash of the commit that `file` is checked out at, followed by -dirty where tracked files differ from it.

    None where git is absent, and where no repository tracks the file: a package that is installed below a repository
    of something else is not of its commit.
    """
    try:
        _git(file.parent, "ls-files", "--error-unmatch", file.name)
        return _git(file.parent, "describe", "--always", "--dirty", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS).stdout.strip()


def note_commit(run: Path) -> None:
    """Add the commit of this code, if it has one, to those that trained the run. Raises OSError."""
    commit = checkout_commit()
    if commit is not None:
        with (run / COMMIT).open("a") as file:
            file.write(commit + "\n")


def noted_commit(run: Path) -> str | None:
    """The commits that trained the run, each once, in their order, separated by commas; None where none is noted."""
    path = run / COMMIT
    return ", ".join(dict.fromkeys(path.read_text().split())) or None if path.is_file() else None
