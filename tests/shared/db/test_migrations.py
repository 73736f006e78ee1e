"""A database of every earlier version is migrated with its rows, which keep their meaning."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import gandl_shared.db
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from gandl_shared.db import Database
from gandl_shared.db.engine import WRITES
from gandl_shared.schemas.screen import Progress, ScreenState
from sqlalchemy import create_engine

MIGRATIONS = Path(gandl_shared.db.__file__).with_name("migrations")

ROWS = """
INSERT INTO screens (id, name, state, images, model, model_id, size, downscale, request, created_at) VALUES
 ('old', 'old screen', 'queued', '/images', 'fake', '01', 16, 1,
  '{"name": "old", "images": "images", "plate_map": "map.csv", "analysis": {}}', 1700000000.0);
INSERT INTO plates (screen_id, number, name, limits) VALUES ('old', 0, 'P1', '{"low": [0], "high": [255]}');
INSERT INTO wells (screen_id, number, plate, name, role, compound, concentration_um, cell_line, row, metadata) VALUES
 ('old', 0, 0, 'A01', 'treatment', 'X', 1.5, 'U2OS', 2, '{}'), ('old', 1, 0, 'A02', 'empty', NULL, NULL, '', 3, '{}');
INSERT INTO batches (id, screen_id, number, state, attempts, not_before) VALUES
 (1, 'old', 0, 'done', 1, 0), (2, 'old', 1, 'queued', 0, 0);
INSERT INTO sites (screen_id, number, well, batch, name, files, state, key, error) VALUES
 ('old', 0, 0, 0, '1', '["a.tif"]', 'done', 'k', NULL), ('old', 1, 0, 0, '2', '["b.tif"]', 'parked', NULL, 'damaged'),
 ('old', 2, 0, 1, '3', '["c.tif"]', 'queued', NULL, NULL);
"""


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def revisions() -> list[str]:
    """Return all versions of the tables, the oldest first."""
    script = ScriptDirectory.from_config(configuration())
    assert len(script.get_heads()) == 1, "the migrations stand in one row"
    return [revision.revision for revision in script.walk_revisions()][::-1]


EARLIER = revisions()[:-1]


def upgrade(url: str, version: str) -> None:
    """Bring an empty database to a version of the tables."""
    config, engine = configuration(), create_engine(url).execution_options(**{WRITES: True})
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    engine.dispose()


def test_no_version_is_left_out() -> None:
    assert [f"{number:04d}" for number in range(1, len(EARLIER) + 1)] == EARLIER


@pytest.mark.parametrize("version", EARLIER)
def test_a_database_of_an_earlier_version_goes_on(version: str, tmp_path: Path) -> None:
    file = tmp_path / "gandl.db"
    upgrade(f"sqlite:///{file}", version)
    with sqlite3.connect(file) as raw:
        raw.executescript(ROWS)
    raw.close()
    check_old_screen(f"sqlite:///{file}")


def check_old_screen(url: str) -> None:
    """Open a database with ROWS at the newest version, look at its screen, and go on with it."""
    db = Database.connect(url)
    status = db.screens.status("old")
    assert (status.state, status.wells, status.progress) == (
        ScreenState.EMBEDDING,
        1,
        Progress(sites=3, done=1, parked=1),
    )
    assert [(site.site, site.error) for site in status.parked] == [("2", "damaged")]
    lease = db.batches.lease("worker", 60)
    assert lease is not None
    assert [(site.site.names, site.stamps) for site in lease.sites] == [(("c.tif",), ())]
    assert db.batches.finish(lease, {2: "k2"}, {}).analysis_id is not None
    assert db.screens.status("old").progress.done == 2
    db.close()
