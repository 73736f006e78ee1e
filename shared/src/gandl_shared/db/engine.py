"""Opening a database, SQLite or PostgreSQL, migrating it to the newest tables, and its transactions.

SQLite begins every writing transaction with BEGIN IMMEDIATE. If two workers try to lease the same batch, one of them
waits instead of failing half-way. In PostgreSQL, row locks (`FOR UPDATE SKIP LOCKED`) have the same effect.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError

from gandl_shared.errors import Conflict, GandlError, Malformed, Unavailable
from gandl_shared.files.outages import low_space

WRITES = "gandl_writes"
_BUSY_MS = 30_000
_BUSY_PAUSE_S = 0.01
_MIGRATION_LOCK = 0x67616E646C  # "gandl": any number, the same for every process
_SERVER_TIME = text("SELECT extract(epoch FROM clock_timestamp())")
_PRAGMAS = (f"busy_timeout={_BUSY_MS}", "foreign_keys=ON", "synchronous=NORMAL")


def open_engine(url: str) -> Engine:
    """Return an engine for `url` whose tables are at the newest version.

    Raises Malformed (not a database), Unavailable (no answer), Conflict (tables of a newer gandl).
    """
    parsed = _parse_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    # psycopg returns bytes from a cluster that was created without a locale (SQL_ASCII), unless we ask for UTF-8.
    arguments = {} if sqlite else {"client_encoding": "utf8"}
    # A server may have closed a connection that was idle, so it is tested before use. A SQLite file has no server.
    engine = create_engine(parsed, pool_pre_ping=not sqlite, connect_args=arguments)
    if sqlite:
        _make_folder(parsed)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        migrate(engine)
    except (DatabaseError, CommandError) as error:
        # The caller gets no engine, so it could not close these connections itself.
        engine.dispose()
        # Messages reach users and logs, so the URL in them must not have the password.
        raise _open_error(error, parsed.render_as_string()) from error
    return engine


def migrate(engine: Engine) -> None:
    """Run the missing migrations in one transaction; other processes wait meanwhile."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        # Services that start together would all create the tables. In SQLite, BEGIN IMMEDIATE makes the others wait.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class Transactions:
    """Transactions of one engine, for reading and for writing. Both raise Unavailable when the server is away."""

    def __init__(self, engine: Engine) -> None:
        self._reads = _snapshots(engine)
        self._writes = engine.execution_options(**{WRITES: True})

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection whose queries all see the same moment."""
        with _outages_reported(), self._reads.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection whose changes are committed at the end of the block, or rolled back after an error."""
        with _outages_reported(), self._writes.begin() as connection:
            yield connection


def now(connection: Connection) -> float:
    """Return seconds since 1970 by the clock that all workers share: the server's, or this machine's for SQLite."""
    if connection.dialect.name == "sqlite":
        return time.time()
    # PostgreSQL's now() stands still during a transaction, so after a wait for a lock it would be too old.
    return float(connection.execute(_SERVER_TIME).scalar_one())


def full_disk(connection: Connection) -> str | None:
    """Return a sentence if the disk of a SQLite file is full, else None; a server watches its own disk.

    Raises Unavailable if the folder of the file is away.
    """
    file = connection.engine.url.database
    if connection.dialect.name != "sqlite" or file is None:
        return None
    try:
        return low_space(Path(file).absolute().parent)
    except OSError as error:
        raise Unavailable(f"the folder of the database cannot be reached: {error.strerror}") from error


def _snapshots(engine: Engine) -> Engine:
    """Return the engine for reading: every query of a transaction sees the same moment, so that the parts of a status
    always belong together. SQLite does so by itself."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextmanager
def _outages_reported() -> Iterator[None]:
    """Turn the driver's error into Unavailable (503): the calling code is not at fault."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(f"the database does not answer: {error.orig}") from error


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Malformed(f"'{url}' is not a database URL; use sqlite:///FILE or postgresql://USER@HOST/NAME") from error
    # Hosting services write postgres://, which SQLAlchemy refuses, and the driver must be the one that gandl installs.
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise Malformed(f"database '{parsed.get_backend_name()}' is not supported; use sqlite or postgresql")
    return parsed


def _open_error(error: DatabaseError | CommandError, safe_url: str) -> GandlError:
    """Return the error of a database that cannot be opened; `safe_url` is its URL without the password."""
    if isinstance(error, CommandError):
        return Conflict(f"database {safe_url} was written by a newer version of gandl; use that version ({error})")
    if isinstance(error, OperationalError):
        return Unavailable(f"database {safe_url} does not answer: {error.orig}")
    # SQLite reports a file that is not a database in this way.
    return Malformed(f"database {safe_url} cannot be used: {error.orig}")


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise Malformed("a SQLite database in memory cannot be shared; use a file: sqlite:///FILE")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _prepare_sqlite(connection: object, _record: object) -> None:
    """Set up a new connection. `_begin_sqlite` begins transactions, so Python's driver must not."""
    raw = cast(sqlite3.Connection, connection)
    raw.isolation_level = None
    # SQLite forgets most settings with the connection, and without them it does not check foreign keys.
    for pragma in _PRAGMAS:
        raw.execute(f"PRAGMA {pragma}")
    _enter_wal(raw)


def _enter_wal(raw: sqlite3.Connection) -> None:
    """Switch a file to the mode WAL: readers go on while a worker writes, and a power cut may lose the last changes
    but no more."""
    deadline = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            # The switch turns a lock for reading into one for writing, for which SQLite ignores its busy timeout:
            # of several processes that open a new file together, all but one would fail at once.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE_S)


def _begin_sqlite(connection: Connection) -> None:
    # A SQLite transaction that reads first and writes later fails at once if another one has written meanwhile.
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
