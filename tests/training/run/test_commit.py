"""The commit that a run records for its card: of a checkout, never of a repository that is only around the package."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from gandl_training.run import commit

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one file, tracked at one commit that is a release."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # set where the tests run inside a hook
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "tracked.py").write_text("1\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "tracked.py")
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false")
    git(tmp_path, *who, "commit", "-qm", "first")
    git(tmp_path, *who, "tag", "-am", "first", "v1")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


def test_the_commit_of_a_checkout(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "HEAD").strip()
    current = commit.checkout_commit(checkout / "tracked.py")
    assert current is not None and len(current) >= 7 and head.startswith(current)
    (checkout / "tracked.py").write_text("2\n")
    assert commit.checkout_commit(checkout / "tracked.py") == f"{current}-dirty"


def test_a_package_inside_another_repository_has_no_commit(checkout: Path) -> None:
    installed = checkout / "site-packages" / "commit.py"
    installed.parent.mkdir()
    installed.touch()
    assert commit.checkout_commit(installed) is None


def test_no_repository_and_no_git(tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit.checkout_commit(Path("/") / "commit.py") is None
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert commit.checkout_commit(checkout / "tracked.py") is None


def test_a_run_names_each_of_its_commits_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit.recorded_commits(tmp_path) is None
    for current in ("1234567", None, "1234567", "89abcde-dirty"):
        monkeypatch.setattr(commit, "checkout_commit", lambda current=current: current)
        commit.record_commit(tmp_path)
    assert commit.recorded_commits(tmp_path) == "1234567, 89abcde-dirty"
