"""The folder of a stack: private, locked by one stack, and with its address."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from gandl.stack.home import Home, Running
from gandl_shared.errors import BadInput


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def test_folders_and_the_password_are_private(home: Home) -> None:
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    password = home.secret()
    assert len(password) == 32 and home.secret() == password
    assert stat.S_IMODE((home.root / "secret").stat().st_mode) == 0o600
    assert Home(home.root.parent / "other").root != home.root


def test_one_stack_has_the_lock(home: Home) -> None:
    lock = home.lock()
    assert lock is not None
    assert Home(home.root).lock() is None
    lock.close()
    again = home.lock()
    assert again is not None
    again.close()


def test_the_address_is_there_while_the_stack_runs(home: Home) -> None:
    assert home.running() is None
    home.publish_address("http://127.0.0.1:1")
    assert home.running() == Running(os.getpid(), "http://127.0.0.1:1")
    home.remove_address()
    home.remove_address()
    assert home.running() is None


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="file/home cannot hold a stack.*give another --home"):
        Home(tmp_path / "file" / "home").create()


def test_the_database_is_inside(home: Home) -> None:
    assert home.database_url == f"sqlite:///{home.root}/gandl.db"
