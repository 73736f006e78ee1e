"""Screens of this service: submitted, watched, cancelled, run again, deleted. The rules are those of `gandl screen`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gandl_shared.db import AnalysisRecord, Database
from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.jobs import Queue, plan_screen, resolve_file, resolve_folder, retry
from gandl_shared.models import ModelCard
from gandl_shared.plates import PlateMap, parse_plate_map, read_plate_map
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.answers import AnalysisVersion, Page
from gandl_shared.schemas.screen import ScreenRequest, ScreenStatus
from gandl_shared.store import Store

from gandl_analysis.formats.store_layout import read_card, write_card
from gandl_analysis.pipeline.axes.stored_axes import limits_text
from gandl_analysis.pipeline.checks import check_controls
from gandl_analysis.service.parameters import Subject, checked
from gandl_analysis.service.results import known_id

_SENT = "plate_map_csv"


@dataclass(frozen=True)
class ServedModel:
    """A model that screens may ask for: `id` is the SHA-256 of its file."""

    name: str
    id: str
    card: ModelCard


class Models(Protocol):
    """Who knows which models are served."""

    def find(self, name: str | None) -> ServedModel:
        """The model of that name, or the default one. Raises NotFound, Unavailable."""


@dataclass(frozen=True)
class Intake:
    """What a new screen may ask for: folders below `root`, models of `models`; `max_headers` files are looked into."""

    root: Path
    models: Models
    max_headers: int


class Screens:
    """Everything that changes a screen. Methods that name one raise NotFound where there is none."""

    def __init__(self, database: Database, store: Store, queue: Queue, intake: Intake) -> None:
        self._database = database
        self._store = store
        self._queue = queue
        self._intake = intake

    def submit(self, request: ScreenRequest) -> ScreenStatus:
        """Check everything about a plate job, write it, announce it. Raises what `plan_screen` does, and Forbidden."""
        _check_text(request)
        images = resolve_folder(self._intake.root, request.images)
        plate_map = self._plate_map(request)
        model = self._intake.models.find(request.model)
        subject = Subject(plate_map.used, model.card, model.id, limits_text(request.limits))
        if request.analysis.axis_from is None:
            check_controls(plate_map.used)
        parameters = checked(request.analysis, subject, self._database, self._store)
        request = request.model_copy(update={"analysis": parameters})
        plan = plan_screen(
            request,
            images=images,
            plate_map=plate_map,
            card=model.card,
            model_id=model.id,
            max_headers=self._intake.max_headers,
        )
        screen = self._database.screens.create(plan.screen)
        write_card(self._store, screen, model.card)
        self._queue.batch_ready(self._database.batches.queued_ids(screen))
        return self._database.screens.status(screen)

    def status(self, screen: str) -> ScreenStatus:
        """State, progress and parked sites, as the database has them now."""
        return self._database.screens.status(known_id(screen))

    def all(self) -> tuple[ScreenStatus, ...]:
        """All screens, newest first, without their lists of parked sites."""
        return self._database.screens.statuses()

    def page(self, offset: int, limit: int) -> Page[ScreenStatus]:
        """A part of them."""
        items, total = self._database.screens.page(offset, limit)
        return Page[ScreenStatus](items=items, total=total, offset=offset, limit=limit)

    def cancel(self, screen: str) -> ScreenStatus:
        """Stop a running screen. Raises Conflict where it does not run."""
        self._database.screens.cancel(known_id(screen))
        return self.status(screen)

    def retry(self, screen: str) -> ScreenStatus:
        """Queue what failed or was cancelled again. Raises Conflict where there is nothing."""
        retry(self._database, known_id(screen), self._queue)
        return self.status(screen)

    def delete(self, screen: str) -> None:
        """Remove a screen with its vectors and results."""
        self._database.screens.delete(known_id(screen))
        self._store.delete(screen)

    def analyse(self, screen: str, parameters: AnalysisParameters) -> AnalysisVersion:
        """Queue another analysis. Raises Conflict while the images are not done, and Invalid as `checked` does."""
        kept = self._database.screens.get(known_id(screen))
        card = read_card(self._store, screen) or self._intake.models.find(kept.model.name).card
        used = self._database.screens.plate_map(screen).used
        subject = Subject(used, card, kept.model.id, limits_text(kept.request.limits))
        chosen = checked(parameters, subject, self._database, self._store)
        record = self._database.analyses.queue(screen, chosen)
        self._queue.analysis_ready(record.id)
        return _version(record)

    def analyses(self, screen: str) -> Sequence[AnalysisVersion]:
        """All analyses of a screen, oldest first."""
        return [_version(record) for record in self._database.analyses.of_screen(known_id(screen))]

    def _plate_map(self, request: ScreenRequest) -> PlateMap:
        """Controls may be missing where the axes of an earlier screen bring their own anchors."""
        controls = request.analysis.axis_from is None
        if request.plate_map is None:
            return parse_plate_map(request.plate_map_csv or "", source=_SENT, controls=controls)
        return read_plate_map(resolve_file(self._intake.root, request.plate_map), controls=controls)


def _check_text(request: ScreenRequest) -> None:
    """NUL is in no name and no path, and PostgreSQL cannot store it."""
    given = {"name": request.name, "pattern": request.pattern, "model": request.model, _SENT: request.plate_map_csv}
    given |= {f"channels.{n}": channel for n, channel in enumerate(request.channels or ())}
    problems = [
        Problem("a NUL character; remove it", field=field) for field, text in given.items() if text and "\0" in text
    ]
    raise_if(problems, Invalid, "the request cannot be used")


def _version(record: AnalysisRecord) -> AnalysisVersion:
    known = {name: getattr(record, name) for name in AnalysisVersion.model_fields if name != "screen"}
    return AnalysisVersion.model_validate({"screen": record.screen_id, **known})
