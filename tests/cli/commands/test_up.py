"""`gandl up` beside a stack that runs already; `tests/e2e/test_stack.py` starts whole stacks."""

from __future__ import annotations

import os
from pathlib import Path

from gandl.commands.up import absence_of
from gandl.stack.home import Home

from tests.cli.command_line import Gandl


def test_a_second_start_shows_the_address_of_the_first(gandl: Gandl, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    lock = home.lock()
    assert lock is not None
    with lock:
        starting = gandl("up", "--home", home.root)
        home.publish_address("http://127.0.0.1:8080")
        running = gandl("up", "--home", home.root)
    assert starting.code == running.code == 0
    assert "already running" in starting.out and "still starting" in starting.out
    assert f"at http://127.0.0.1:8080 (process {os.getpid()})" in running.out


def test_a_home_that_cannot_be_created_is_exit_code_2(gandl: Gandl, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = gandl("up", "--home", tmp_path / "file" / "home")
    assert ended.code == 2
    assert "cannot hold a stack" in ended.err


def test_a_folder_of_images_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert absence_of(tmp_path) is None
    absence = absence_of(tmp_path / "imges")
    assert absence is not None
    assert str(tmp_path / "imges") in absence and "--images" in absence
