"""The commit of the code that a run was trained with, recorded in the run for the model card of its exports."""

from __future__ import annotations

import subprocess
from pathlib import Path

COMMIT = "commit.txt"
TIMEOUT_SECONDS = 10


def checkout_commit(file: Path = Path(__file__)) -> str | None:
    """Return the short hash of the commit that `file` is checked out at, with -dirty where tracked files differ.

    Returns None where git is absent or no repository tracks the file: a package that is installed below the repository
    of something else does not belong to the commits of that repository.
    """
    try:
        _git(file.parent, "ls-files", "--error-unmatch", file.name)
        return _git(file.parent, "describe", "--always", "--dirty", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS).stdout.strip()


def record_commit(run: Path) -> None:
    """Append the commit of this code, if it has one, to those that trained the run. Raises OSError."""
    commit = checkout_commit()
    if commit is not None:
        with (run / COMMIT).open("a") as file:
            file.write(commit + "\n")


def recorded_commits(run: Path) -> str | None:
    """Return the commits that trained the run, each once and in order, separated by commas; None without a record."""
    path = run / COMMIT
    return ", ".join(dict.fromkeys(path.read_text().split())) or None if path.is_file() else None
