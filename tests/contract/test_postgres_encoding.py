"""A cluster made without a locale, as `initdb` does in a bare container, keeps text as bytes."""

from __future__ import annotations

from typing import Protocol

from gandl_shared.db import Database
from gandl_shared.testing import new_screen


class Server(Protocol):
    """The fixture `postgres`."""

    def new(self, options: str = "") -> str: ...


def test_names_beyond_ascii_survive_in_an_ascii_cluster(postgres: Server) -> None:
    url = postgres.new("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    database = Database.connect(url)
    try:
        screen = database.screens.create(new_screen(name="écran 5 µM"))
        assert database.screens.status(screen).name == "écran 5 µM"
    finally:
        database.close()
