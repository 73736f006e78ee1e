"""The tables refuse rows that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gandl_shared.db import Database
from gandl_shared.db.engine import open_engine
from gandl_shared.db.tables import Analysis, Batch, Site
from gandl_shared.testing import new_screen
from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError


@pytest.fixture
def connection(tmp_path: Path, db: Database) -> Iterator[Connection]:
    """A connection to a database with one screen of two wells."""
    db.screens.create(new_screen(2))
    engine = open_engine(f"sqlite:///{tmp_path}/gandl.db")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_a_screen_has_every_batch_number_once(connection: Connection) -> None:
    screen_id = connection.execute(select(Batch.screen_id)).scalars().first()
    with pytest.raises(IntegrityError, match="UNIQUE"):
        connection.execute(insert(Batch).values(screen_id=screen_id, number=0, state="queued"))


def test_an_analysis_belongs_to_a_screen(connection: Connection) -> None:
    values = {"version": 1, "state": "queued", "parameters": {}, "created_at": 0.0}
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        connection.execute(insert(Analysis).values(screen_id="nobody", **values))


def test_the_sites_of_a_batch_are_deleted_with_it(connection: Connection) -> None:
    connection.execute(delete(Batch).where(Batch.number == 0))
    assert connection.execute(select(func.count()).select_from(Site)).scalar_one() == 1
