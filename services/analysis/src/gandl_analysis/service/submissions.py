"""Submit screens, watch, cancel, retry, analyse and delete them, under the same rules as `gandl screen`."""

from __future__ import annotations

import hashlib
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.db import AnalysisRecord, Database, RequestKey, standing_exclusions
from gandl_shared.errors import Conflict, Invalid, Problem, raise_if
from gandl_shared.jobs import (
    Queue,
    Subject,
    inspect_images,
    names_below,
    plan_screen,
    resolve_file,
    resolve_folder,
    retry,
)
from gandl_shared.plates import (
    PlateMap,
    parse_plate_map,
    part_with_images,
    plate_map_of_bytes,
    read_plate_map,
)
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.answers import AnalysisVersion, Page
from gandl_shared.schemas.image_layout import ImageReport
from gandl_shared.schemas.screen import ScreenRequest, ScreenStatus, TableRequest
from gandl_shared.store import Store

from gandl_analysis.formats.output_folder import FEATURES
from gandl_analysis.formats.store_layout import write_card
from gandl_analysis.pipeline.axes.checks import check_controls
from gandl_analysis.pipeline.inputs import limits_text
from gandl_analysis.service.analyses.decisions import check_recorded
from gandl_analysis.service.analyses.parameters import AnalysisSubject, check_again, check_parameters, refuse_exclusions
from gandl_analysis.service.intake.tables import new_screen, read_table_request
from gandl_analysis.service.models import ModelCatalog, ServedModel, find_model
from gandl_analysis.service.screen_ids import require_screen_id

_CSV_FIELD, _XLSX_FIELD = "plate_map_csv", "plate_map_xlsx"


@dataclass(frozen=True, kw_only=True)
class SubmissionRules:
    """What a new screen may use: folders below `image_root` and models of `models`.

    The headers of at most `max_headers` image files are read before a screen is accepted.
    """

    image_root: Path
    models: ModelCatalog
    max_headers: int


class Submissions:
    """Submit, list and change screens. Methods that name a screen raise NotFound if there is none of that id."""

    def __init__(self, database: Database, store: Store, queue: Queue, rules: SubmissionRules) -> None:
        self._database = database
        self._store = store
        self._queue = queue
        self._rules = rules

    def submit(self, request: ScreenRequest, key: str | None = None) -> ScreenStatus:
        """Check a screen completely, store it and announce its batches.

        The same request with the same `key` answers the screen of the first one. Raises Invalid where the key belongs
        to another request, what `plan_screen` does, InvalidPlateMap, Forbidden for a path outside the root, and
        Unavailable or Unauthorized where the embedding service does not answer.
        """
        _check_text(request)
        refuse_exclusions(request.analysis)
        named = _request_key(key, request)
        if (earlier := self._earlier(named)) is not None:
            return earlier
        images = resolve_folder(self._rules.image_root, request.images)
        with names_below(self._rules.image_root):
            plate_map = part_with_images(images, self._plate_map(request), request.pattern)
            model = find_model(self._rules.models, request.model)
            plan = plan_screen(
                self._with_checked_parameters(request, plate_map, model),
                images=images,
                plate_map=plate_map,
                card=model.card,
                model_id=model.id,
                max_headers=self._rules.max_headers,
            )
        # Nothing is written before everything is checked, so that a refused request leaves no trace.
        screen = secrets.token_hex(8)
        try:
            # The rows come last, because workers and clients see a screen as soon as it has rows.
            write_card(self._store, screen, model.card)
            self._database.screens.create(plan.screen, screen_id=screen, request=named)
        except BaseException as error:
            self._store.delete(screen)
            # The same request may have been sent a second time while the first was being checked.
            if isinstance(error, Conflict) and (earlier := self._earlier(named)) is not None:
                return earlier
            raise
        # The queue comes last: the database is the truth, and lost messages are found by the sweep.
        self._queue.batch_ready(self._database.batches.queued_ids(screen))
        return self._database.screens.status(screen)

    def submit_table(self, request: TableRequest, key: str | None = None) -> ScreenStatus:
        """Read a table of features completely, store its vectors as a screen and announce its analysis.

        `key` is that of `submit`. Raises NotFound, TooLarge, InvalidTable, InvalidPlateMap, Invalid for parameters that
        do not suit the wells, and Forbidden for a path outside the root.
        """
        refuse_exclusions(request.analysis)
        named = _request_key(key, request)
        if (earlier := self._earlier(named)) is not None:
            return earlier
        table = read_table_request(request, self._rules.image_root)
        screen_input = table.screen
        subject = AnalysisSubject(
            wells=screen_input.used_wells,
            card=screen_input.card,
            model_id=screen_input.model_id,
            limits=screen_input.limits_from,
        )
        parameters = check_parameters(request.analysis, subject, self._database, self._store)
        screen = secrets.token_hex(8)
        try:
            self._store.put_vectors(screen, 0, screen_input.profiles)
            write_card(self._store, screen, screen_input.card)
            self._store.put_document(screen, FEATURES, table.features)
            new = new_screen(table, request, parameters)
            analysis = self._database.screens.create_embedded(screen, new, request=named)
        except BaseException:
            self._store.delete(screen)
            raise
        self._queue.analysis_ready(analysis)
        return self._database.screens.status(screen)

    def inspect(self, request: ScreenRequest) -> ImageReport:
        """Return what the images of a request hold and what is still open; nothing is stored.

        Raises NotFound, BadInput where no layout fits, InvalidPlateMap, and Forbidden for a path outside the root.
        """
        _check_text(request)
        model = find_model(self._rules.models, request.model)
        subject = Subject(
            images=resolve_folder(self._rules.image_root, request.images),
            plate_map=self._plate_map(request),
            plate_map_name=request.plate_map or "MAP.csv",
            positive=request.positive_control,
            card=model.card,
            model_name=f"{model.card.name}.onnx",
            pattern=request.pattern,
            channels=request.channels,
            choice=request,
        )
        report = inspect_images(subject, max_headers=self._rules.max_headers)
        # The folder of the server is not the client's business, who named it below the root.
        command = report.command.replace(shlex.quote(str(subject.images)), shlex.quote(request.images))
        return report.model_copy(update={"command": command})

    def status(self, screen: str) -> ScreenStatus:
        """Return state, progress and parked sites as the database has them now."""
        return self._database.screens.status(require_screen_id(screen))

    def all(self) -> tuple[ScreenStatus, ...]:
        """Return all screens, newest first, without their lists of parked sites."""
        return self._database.screens.statuses()

    def page(self, offset: int, limit: int) -> Page[ScreenStatus]:
        """Return a page of `all`."""
        items, total = self._database.screens.page(offset, limit)
        return Page[ScreenStatus](items=items, total=total, offset=offset, limit=limit)

    def cancel(self, screen: str) -> ScreenStatus:
        """Stop a running screen. Raises Conflict if it does not run."""
        self._database.screens.cancel(require_screen_id(screen))
        return self.status(screen)

    def retry(self, screen: str) -> ScreenStatus:
        """Queue failed or cancelled work again. Raises Conflict if there is none."""
        retry(self._database, require_screen_id(screen), self._queue)
        return self.status(screen)

    def delete(self, screen: str) -> None:
        """Delete a screen with its vectors and results."""
        # Without its rows a screen is gone for clients and workers; only then may its files go.
        self._database.screens.delete(require_screen_id(screen))
        self._store.delete(screen)

    def analyse(self, screen: str, parameters: AnalysisParameters) -> AnalysisVersion:
        """Queue another analysis. Raises Conflict until all images are embedded, and Invalid as `check_parameters`.

        What people have excluded stays excluded, unless the parameters say otherwise; they may name only exclusions
        that were decided.
        """
        require_screen_id(screen)
        decisions = self._database.decisions.of_screen(screen)
        if parameters.exclusions is None and decisions:
            parameters = parameters.model_copy(update={"exclusions": standing_exclusions(decisions)})
        check_recorded(parameters.exclusions or (), decisions)
        checked_parameters = check_again(screen, parameters, self._database, self._store, self._rules.models)
        analysis = self._database.analyses.queue(screen, checked_parameters)
        self._queue.analysis_ready(analysis.id)
        return _version(analysis)

    def analyses(self, screen: str) -> Sequence[AnalysisVersion]:
        """Return all analyses of a screen, oldest first."""
        return [_version(record) for record in self._database.analyses.of_screen(require_screen_id(screen))]

    def _earlier(self, named: RequestKey | None) -> ScreenStatus | None:
        """Return the screen of an earlier request of the same key, if there is one."""
        screen = None if named is None else self._database.screens.of_request(named)
        return None if screen is None else self._database.screens.status(screen)

    def _plate_map(self, request: ScreenRequest) -> PlateMap:
        """Read the plate map of a request.

        Controls may be missing if the axes of an earlier screen bring their own anchors.
        """
        controls = request.analysis.axis_from is None
        sheet, positive = request.plate_map_sheet, request.positive_control
        if request.plate_map_xlsx is not None:
            return plate_map_of_bytes(request.plate_map_xlsx, source=_XLSX_FIELD, controls=controls, sheet=sheet)
        if request.plate_map is None:
            return parse_plate_map(request.plate_map_csv or "", source=_CSV_FIELD, controls=controls, positive=positive)
        path = resolve_file(self._rules.image_root, request.plate_map)
        return read_plate_map(path, controls=controls, sheet=sheet, positive=positive)

    def _with_checked_parameters(
        self, request: ScreenRequest, plate_map: PlateMap, model: ServedModel
    ) -> ScreenRequest:
        if request.analysis.axis_from is None:
            check_controls(plate_map.used)
        subject = AnalysisSubject(
            wells=plate_map.used, card=model.card, model_id=model.id, limits=limits_text(request.limits)
        )
        parameters = check_parameters(request.analysis, subject, self._database, self._store)
        return request.model_copy(update={"analysis": parameters})


def _request_key(key: str | None, request: ScreenRequest | TableRequest) -> RequestKey | None:
    if key is None:
        return None
    fingerprint = hashlib.sha256(f"{type(request).__name__} {request.model_dump_json()}".encode()).hexdigest()
    return RequestKey(key=key, fingerprint=fingerprint)


def _check_text(request: ScreenRequest) -> None:
    """Raise Invalid for a NUL character, which no name or path has and PostgreSQL cannot store."""
    texts = {
        "name": request.name,
        "pattern": request.pattern,
        "model": request.model,
        "plate_map_sheet": request.plate_map_sheet,
        **{name: getattr(request, name) for name in ("z", "timepoint", "measurement", "subfolder")},
        _CSV_FIELD: request.plate_map_csv,
        **{f"channels.{n}": channel for n, channel in enumerate(request.channels or ())},
    }
    problems = [
        Problem("contains a NUL character; remove it", field=field)
        for field, text in texts.items()
        if text and "\0" in text
    ]
    raise_if(problems, Invalid, "the request cannot be used")


def _version(record: AnalysisRecord) -> AnalysisVersion:
    fields = {name: getattr(record, name) for name in AnalysisVersion.model_fields if name != "screen"}
    return AnalysisVersion.model_validate({"screen": record.screen_id, **fields})
