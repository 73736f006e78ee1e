"""A PostgreSQL database of the first version is migrated through all others with its rows, as a SQLite file is."""

from __future__ import annotations

import psycopg

from tests.contract.conftest import Postgres
from tests.shared.db.test_migrations import EARLIER, ROWS, check_old_screen, upgrade


def test_a_database_of_the_first_version_goes_on(postgres: Postgres) -> None:
    url = postgres.new()
    upgrade(url.replace("postgresql://", "postgresql+psycopg://"), EARLIER[0])
    with psycopg.connect(url) as connection:
        connection.execute(ROWS.encode())
    check_old_screen(url)
