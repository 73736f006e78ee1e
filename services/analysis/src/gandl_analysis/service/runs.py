"""Run an analysis of a screen as a job: lease it from the database, compute it, store it under its version.

This module knows no queue. The Celery task calls it, and so does `gandl screen`, which runs in one process. A run can
be repeated at any point, because only the worker that still holds the lease can finish the analysis.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from gandl_shared.db import Database, LeasedAnalysis, ScreenRecord
from gandl_shared.errors import BadInput, GandlError, Invalid, NotFound
from gandl_shared.jobs import LeaseRenewal, drop_lost_work
from gandl_shared.models import ModelCard
from gandl_shared.schemas.analysis import AxisFrom
from gandl_shared.store import Store

from gandl_analysis.formats.store_layout import read_axes, read_card, write_analysis
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import EarlierAxes, ScreenInput, limits_of
from gandl_analysis.pipeline.result import Analysed
from gandl_analysis.service.models import ModelCatalog

_log = logging.getLogger(__name__)

Analyse = Callable[[ScreenInput], Analysed]


@dataclass(frozen=True, kw_only=True)
class AnalysisRuns:
    """Runs the analyses that wait. `models` is used only if no model card was stored with a screen."""

    database: Database
    store: Store
    models: ModelCatalog
    analyse: Analyse = analyse
    lease_seconds: float = 60.0

    def run(self, analysis_id: int | None = None) -> bool:
        """Run that analysis, or the oldest one that waits if another worker has it. Return whether one has ended.

        Errors of the input are final; after any other error the analysis is tried again, as often as the database
        allows.
        """
        lease = self._lease(analysis_id)
        if lease is None:
            return False
        try:
            with LeaseRenewal(self.database.analyses, lease, self.lease_seconds):
                screen = self._input(lease)
                analysed = self.analyse(screen)
            write_analysis(self.store, lease.screen_id, lease.version, analysed, screen.profiles)
        except Exception as error:
            # No error may stop the worker; it is recorded with the analysis.
            return self._failed(lease, error)
        return self.database.analyses.finish(lease) or self._clean_up(lease)

    def _lease(self, analysis_id: int | None) -> LeasedAnalysis | None:
        name = f"{socket.gethostname()}:{os.getpid()}"
        analyses, seconds = self.database.analyses, self.lease_seconds
        # The message of the queue is only a hint; another worker may have run that analysis in the meantime.
        lease = None if analysis_id is None else analyses.lease(name, seconds, analysis_id=analysis_id)
        return lease or analyses.lease(name, seconds)

    def _input(self, lease: LeasedAnalysis) -> ScreenInput:
        screen = lease.screen_id
        record = self.database.screens.get(screen)
        card = read_card(self.store, screen) or self._card(record)
        return ScreenInput(
            name=record.name,
            profiles=self.store.profiles(screen),
            wells=self.database.screens.wells(screen),
            parked=self.database.screens.status(screen).parked,
            parameters=lease.parameters,
            card=card,
            model_id=record.model.id,
            limits=record.limits,
            limits_from=limits_of(card, record.request.limits),
            image_layout=record.layout,
            intensities=record.intensities,
            earlier=self._earlier(lease.parameters.axis_from),
            notes=record.notes,
        )

    def _earlier(self, axis_from: AxisFrom | None) -> EarlierAxes | None:
        """Return the axes of another screen by which the wells are scored; their version was recorded on submission."""
        if axis_from is None:
            return None
        if axis_from.version is None:
            raise Invalid("axis_from has no version; submit the analysis again")
        return read_axes(self.store, axis_from.screen, axis_from.version)

    def _card(self, record: ScreenRecord) -> ModelCard:
        # A file that was replaced under the same name may have other channels and another tile size.
        model = self.models.find(record.model.name)
        if model.id != record.model.id:
            raise NotFound(f"model {record.model.name} of this screen is no longer available: its file has changed")
        return model.card

    def _failed(self, lease: LeasedAnalysis, error: Exception) -> bool:
        _log.error("analysis %d of screen %s failed", lease.version, lease.screen_id, exc_info=error)
        detail = error.detail if isinstance(error, GandlError) else f"{type(error).__name__}: {error}"
        return self.database.analyses.fail(lease, detail, final=isinstance(error, BadInput)) or self._clean_up(lease)

    def _clean_up(self, lease: LeasedAnalysis) -> bool:
        drop_lost_work(self.database, self.store, lease)
        return False
