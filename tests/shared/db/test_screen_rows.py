"""The rows of a screen are written and come back as they were."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gandl_shared.db import Database, screen_rows
from gandl_shared.db.screen_rows import iso_time
from gandl_shared.testing import new_screen

from tests.shared.databases import lease_batch


def test_the_plate_map_comes_back_with_its_metadata_and_rows(db: Database) -> None:
    new = new_screen(6)
    plate_map = db.screens.plate_map(db.screens.create(new))
    assert plate_map.wells == new.plate_map.wells
    assert plate_map.wells[2].metadata == {"batch": "b1"}


def test_the_text_of_a_plate_map_is_not_stored_a_second_time(db: Database) -> None:
    new = new_screen(2)
    request = new.request.model_copy(update={"plate_map": None, "plate_map_csv": "plate,well,role\n"})
    record = db.screens.get(db.screens.create(replace(new, request=request)))
    assert (record.request.plate_map, record.request.plate_map_csv) == ("(sent with the request)", None)


def test_what_was_assumed_is_kept_with_the_screen(db: Database) -> None:
    new = replace(new_screen(2), notes=("m.csv was read as plate-shaped blocks",))
    screen_id = db.screens.create(new)
    assert db.screens.get(screen_id).notes == db.screens.status(screen_id).notes == new.notes


def test_large_screens_are_inserted_in_chunks(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_rows, "_ROWS_PER_INSERT", 5)
    screen_id = db.screens.create(new_screen(12, sites=2, sites_per_batch=7))
    assert db.screens.status(screen_id).progress.sites == 24
    assert [len(lease_batch(db).sites) for _ in range(4)] == [7, 7, 7, 3]


def test_a_status_lists_the_first_parked_sites_and_counts_all(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_rows, "MAX_PARKED_SITES", 3)
    screen_id = db.screens.create(new_screen(6, sites_per_batch=6))
    db.batches.finish(lease_batch(db), {5: "key"}, {n: f"error {n}" for n in range(5)})
    status = db.screens.status(screen_id)
    assert [site.error for site in status.parked] == ["error 0", "error 1", "error 2"]
    assert status.progress.parked == 5


def test_times_are_iso_8601_in_utc_with_milliseconds() -> None:
    assert iso_time(1764187200.1234) == "2025-11-26T20:00:00.123+00:00"
