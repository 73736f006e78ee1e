"""A small plate, a database and a store in a folder, and a screen submitted to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from gandl_shared.db import Database
from gandl_shared.jobs import ScreenPlan, plan_screen, submit
from gandl_shared.schemas.screen import ScreenRequest
from gandl_shared.store import Store
from gandl_shared.testing import FakeEmbedder, Layout, PlateFolder, write_plate


@dataclass(frozen=True)
class Bench:
    """The surroundings of a worker: a plate of 12 wells with two sites of four tiles each, a database and a store."""

    plate: PlateFolder
    db: Database
    store: Store

    def submit(self, *, sites_per_batch: int = 8) -> str:
        """Submit a screen of the plate; return its id."""
        card = FakeEmbedder().card
        request = ScreenRequest(images=str(self.plate.images), plate_map="platemap.csv")
        plan = plan_screen(
            request,
            images=self.plate.images,
            plate_map=self.plate.plate_map,
            card=card,
            model_id=FakeEmbedder().model_id,
        )
        sized = replace(plan.screen, sites_per_batch=sites_per_batch)
        return submit(self.db, ScreenPlan(sized, plan.headers))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A plate, a database and a store, new for each test."""
    plate = write_plate(tmp_path / "plate", Layout(sites=2))
    db = Database.connect(f"sqlite:///{tmp_path}/gandl.db")
    yield Bench(plate, db, Store(tmp_path / "store"))
    db.close()
