"""A PostgreSQL server that is stopped and started under an open `Database`."""

from __future__ import annotations

from typing import Protocol

import pytest
from gandl_shared.db import Database
from gandl_shared.errors import Unavailable
from gandl_shared.testing import new_screen


class Server(Protocol):
    """The fixture `postgres`."""

    def emptied(self) -> str: ...
    def stop(self) -> None: ...
    def start(self) -> None: ...


def test_a_server_that_was_away_is_used_again(postgres: Server) -> None:
    db = Database.connect(postgres.emptied())
    screen_id = db.screens.create(new_screen(2))
    lease = db.batches.lease("test", 60)
    postgres.stop()
    try:
        for ask in (db.screens.statuses, lambda: db.batches.lease("test", 60), db.waiting):
            with pytest.raises(Unavailable, match="database does not answer"):
                ask()
    finally:
        postgres.start()
    assert lease is not None
    assert db.batches.finish(lease, {0: "key"}, {}).accepted
    assert db.screens.status(screen_id).progress.done == 1
    db.close()
