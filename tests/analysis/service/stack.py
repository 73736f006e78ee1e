"""An analysis service in this process: real database, store and analysis; a fake embedder instead of a model."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from gandl_analysis.app import build
from gandl_analysis.formats.store_layout import write_card
from gandl_analysis.service.models import ServedModel
from gandl_analysis.service.runs import AnalysisRuns
from gandl_analysis.settings import Settings
from gandl_shared.db import Database
from gandl_shared.errors import NotFound
from gandl_shared.jobs import plan_screen, submit
from gandl_shared.schemas.screen import ScreenRequest
from gandl_shared.store import Store
from gandl_shared.testing import FakeEmbedder, Layout, PlateFolder, fake_card, write_plate
from gandl_worker.screens import run_screen

STRANGE_NAME = "A/B 50% μ?"  # U+03BC, the form in which gandl keeps a micro sign


class FakeModels:
    """A catalogue with one model, the fake embedder's."""

    def __init__(self) -> None:
        self.embedder = FakeEmbedder(fake_card(name="fake", features=16))

    def find(self, name: str | None) -> ServedModel:
        """Return the fake model by its name or as the default."""
        card = self.embedder.card
        if name not in (None, card.name):
            raise NotFound(f"there is no model '{name}'; available is {card.name}")
        return ServedModel(name=card.name, id=self.embedder.model_id, card=card)

    def all(self) -> list[ServedModel]:
        """Return the fake model."""
        return [self.find(None)]


@dataclass
class SilentQueue:
    """Remembers what was announced."""

    batches: list[int] = field(default_factory=list)
    analyses: list[int] = field(default_factory=list)

    def batch_ready(self, batch_ids: Sequence[int]) -> None:
        """Remember the ids of batches."""
        self.batches += batch_ids

    def analysis_ready(self, analysis_id: int) -> None:
        """Remember the id of an analysis."""
        self.analyses.append(analysis_id)


@dataclass
class Stack:
    """A service and what is behind it. `first` and `second` are finished screens, `waiting` is not begun."""

    home: Path
    database: Database
    store: Store
    models: FakeModels
    queue: SilentQueue
    settings: Settings
    _opened: ExitStack

    @cached_property
    def client(self) -> TestClient:
        """The service, started when it is asked for the first time: a third of a second."""
        service = build(self.settings, queue=self.queue, models=self.models)
        return self._opened.enter_context(TestClient(service))

    @property
    def ids(self) -> dict[str, str]:
        """Screen ids by name."""
        return {status.name: status.id for status in self.database.screens.statuses()}

    @property
    def first(self) -> str:
        """A finished screen of compound X."""
        return self.ids["first"]

    @property
    def second(self) -> str:
        """A finished screen of X and of a compound with a strange name, in two cell lines."""
        return self.ids["second"]

    @property
    def waiting(self) -> str:
        """A screen that nobody has begun."""
        return self.ids["waiting"]

    def runs(self) -> AnalysisRuns:
        """Return what the Celery task calls."""
        return AnalysisRuns(database=self.database, store=self.store, models=self.models)

    def work(self, screen: str) -> None:
        """Do what workers would do about a screen."""
        run_screen(self.database, self.store, self.models.embedder, screen)
        while self.runs().run():
            pass


def settings_of(home: Path) -> Settings:
    """Return settings of a service that keeps everything in one folder."""
    return Settings(
        database_url=f"sqlite:///{home / 'gandl.db'}",
        store=str(home / "store"),
        image_root=home / "root",
        events_interval=0.02,
        events_seconds=0.5,
    )


def seed(home: Path) -> None:
    """Fill a folder with plates, a database and a store."""
    plate = write_plate(home / "root" / "plate", Layout(rows="ABCDEFGH", columns=8))
    strange = plate.platemap.with_name("strange.csv")
    strange.write_text(_strange_plate_map(plate))
    database, store, models = Database.connect(f"sqlite:///{home / 'gandl.db'}"), Store(home / "store"), FakeModels()
    for name, platemap in (("first", plate.platemap), ("second", strange)):
        screen = _submit(database, store, models, PlateFolder(plate.images, platemap), name)
        run_screen(database, store, models.embedder, screen)
        assert AnalysisRuns(database=database, store=store, models=models).run()
    _submit(database, store, models, plate, "waiting")
    database.close()


@contextmanager
def running_stack(home: Path) -> Iterator[Stack]:
    """Run a service on a folder that `seed` has filled."""
    settings = settings_of(home)
    database = Database.connect(settings.database_url)
    with ExitStack() as opened:
        yield Stack(home, database, Store(settings.store), FakeModels(), SilentQueue(), settings, opened)
    database.close()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with plates, a database and a store, made once for all processes of the tests. Nobody writes in it."""
    base = tmp_path_factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own in the one of the run.
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    home, complete = root / "seeded", root / "seeded.complete"
    with (root / "seeded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            seed(home)
            complete.touch()
    return home


@pytest.fixture
def stack(seeded: Path, tmp_path: Path) -> Iterator[Stack]:
    """A service on a copy of the seeded folder."""
    home = tmp_path / "home"
    shutil.copytree(seeded, home)
    with running_stack(home) as stack:
        yield stack


@pytest.fixture(scope="module")
def shared_stack(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The same for tests that only read."""
    home = tmp_path_factory.mktemp("shared") / "home"
    shutil.copytree(seeded, home)
    with running_stack(home) as stack:
        yield stack


def _submit(database: Database, store: Store, models: FakeModels, plate: PlateFolder, name: str) -> str:
    model = models.find(None)
    request = ScreenRequest(name=name, images="plate/Images", plate_map="plate/platemap.csv")
    plan = plan_screen(request, images=plate.images, plate_map=plate.plate_map, card=model.card, model_id=model.id)
    screen = submit(database, plan)
    write_card(store, screen, model.card)
    return screen


def _strange_plate_map(plate: PlateFolder) -> str:
    """Rows E to H hold another cell line; compound X of half the rows gets a name that is hard on addresses."""
    lines = plate.platemap.read_text().splitlines()
    other = [line.replace("U2OS", "A549") if line.split(",")[1][0] in "EFGH" else line for line in lines]
    renamed = [line.replace(",X,", f",{STRANGE_NAME},") if line.split(",")[1][0] in "CDGH" else line for line in other]
    return "\n".join(renamed) + "\n"
