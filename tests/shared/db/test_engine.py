"""Opening databases that are not there or not ours."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from gandl_shared.db import Database, engine
from gandl_shared.errors import Conflict, Malformed, Unavailable
from gandl_shared.testing import free_port, new_screen


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_database_of_gandl(url: str) -> None:
    with pytest.raises(Malformed):
        Database.connect(url)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(Unavailable, match="does not answer") as caught:
        Database.connect(f"postgresql://gandl:geheim@127.0.0.1:{free_port()}/gandl?connect_timeout=2")
    assert "geheim" not in caught.value.detail


def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    Database.connect(f"sqlite:///{tmp_path}/a/b/gandl.db").close()
    assert (tmp_path / "a" / "b" / "gandl.db").is_file()


def test_sqlite_is_opened_for_many_processes(tmp_path: Path) -> None:
    db = Database.connect(f"sqlite:///{tmp_path}/gandl.db")
    screen_id = db.screens.create(new_screen(2))
    with sqlite3.connect(tmp_path / "gandl.db") as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN IMMEDIATE")
        assert db.screens.status(screen_id).progress.sites == 2, "readers do not wait for a writer"
        other.rollback()
    db.close()


def test_a_new_file_waits_for_the_process_that_makes_its_first_table(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/gandl.db", tmp_path / "gandl.db"
    with sqlite3.connect(file, isolation_level=None, check_same_thread=False) as first:
        # SQLite does not wait here by itself: it reads the file first and then asks for the lock of a writer.
        first.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.1, first.execute, ["COMMIT"])
        timer.start()
        Database.connect(url).close()
        timer.join()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "gandl.db").write_text("a text file, long enough to be taken for a database header " * 50)
    with pytest.raises(Malformed, match="not a database"):
        Database.connect(f"sqlite:///{tmp_path}/gandl.db")


def test_tables_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gandl.db"
    Database.connect(url).close()
    with sqlite3.connect(tmp_path / "gandl.db") as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Conflict, match="newer version of gandl"):
        Database.connect(url)


def test_a_database_that_stays_locked_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_PRAGMAS", ("busy_timeout=100", "foreign_keys=ON"))
    db = Database.connect(f"sqlite:///{tmp_path}/gandl.db")
    with sqlite3.connect(tmp_path / "gandl.db") as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            db.batches.lease("test", 60)
        other.rollback()
    assert db.batches.lease("test", 60) is None
    db.close()
