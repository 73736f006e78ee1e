"""Run an analysis of a screen as a job: lease it from the database, compute it, store it under its version.

This module knows no queue. The Celery task calls it, and so does `gandl screen`, which runs in one process. A run can
be repeated at any point, because only the worker that still holds the lease can finish the analysis.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gandl_shared.db import Database, LeasedAnalysis, ScreenRecord
from gandl_shared.errors import BadInput, DeadlineExceeded, GandlError, Invalid, NotFound, Outage, Unavailable
from gandl_shared.files.traces import span
from gandl_shared.jobs import LeaseRenewal, drop_lost_work, persist, wait_seconds, worker_name
from gandl_shared.models import ModelCard
from gandl_shared.schemas.analysis import AxisFrom
from gandl_shared.schemas.screen import Progress, notes_of
from gandl_shared.store import Profiles, Store

from gandl_analysis.figures.pixels.strips import Strips, report_strips
from gandl_analysis.formats.store_layout import (
    read_axes,
    read_card,
    write_analysis,
    write_drawings,
    write_sample,
    write_strips,
)
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import EarlierAxes, ScreenInput, limits_of
from gandl_analysis.pipeline.result import Analysed
from gandl_analysis.report.compounds import drawn_curves
from gandl_analysis.report.drawings import draw_ahead
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
    draws_ahead: bool = False
    """True where what the pages show is drawn and sampled when an analysis ends."""

    def run(self, analysis_id: int | None = None) -> bool:
        """Run that analysis, or the oldest one that waits if another worker has it. Return whether one has ended.

        Errors of the input are final; after any other error the analysis is tried again, as often as the database
        allows.
        """
        lease = self._lease(analysis_id)
        if lease is None:
            return False
        try:
            renewal = LeaseRenewal(self.database.analyses, lease, self.lease_seconds)
            with renewal, span("analysis", screen=lease.screen_id, version=lease.version):
                screen = self._input(lease)
                analysed = self.analyse(screen)
                write_analysis(self.store, lease.screen_id, lease.version, analysed, screen.profiles)
                if self.draws_ahead:
                    # A reader of the page would wait for these figures, which take seconds on a large screen.
                    write_drawings(self.store, lease.screen_id, lease.version, draw_ahead(analysed.analysis))
                    write_strips(self.store, lease.screen_id, lease.version, self._strips(lease, analysed))
                    write_sample(self.store, lease.screen_id, lease.version, analysed, screen.profiles)
        except (Unavailable, DeadlineExceeded) as error:
            return self._wait(lease, error.detail)
        except Exception as error:
            # No error may stop the worker; it is recorded with the analysis.
            return self._failed(lease, error)
        return persist(lambda: self.database.analyses.finish(lease)) or self._clean_up(lease)

    def _strips(self, lease: LeasedAnalysis, analysed: Analysed) -> Strips:
        curves = drawn_curves(analysed.analysis.curves)
        return report_strips(
            analysed.analysis, curves, analysed.sites, lambda _: self.store.all_thumbnails(lease.screen_id)
        )

    def _wait(self, lease: LeasedAnalysis, reason: str) -> bool:
        """Give an analysis back until the store, the database or the service of models answers again."""
        seconds = wait_seconds(lease.waits)
        _log.warning("analysis %d of screen %s waits %.0f s: %s", lease.version, lease.screen_id, seconds, reason)
        persist(lambda: self.database.analyses.wait(lease, seconds, reason))
        return False

    def _lease(self, analysis_id: int | None) -> LeasedAnalysis | None:
        name = worker_name()
        analyses, seconds = self.database.analyses, self.lease_seconds
        # The message of the queue is only a hint; another worker may have run that analysis in the meantime.
        lease = None if analysis_id is None else analyses.lease(name, seconds, analysis_id=analysis_id)
        return lease or analyses.lease(name, seconds)

    def _input(self, lease: LeasedAnalysis) -> ScreenInput:
        screen = lease.screen_id
        record = self.database.screens.get(screen)
        card = read_card(self.store, screen) or self._card(record)
        status = self.database.screens.status(screen)
        return ScreenInput(
            name=record.name,
            profiles=self._profiles(screen, status.progress),
            wells=self.database.screens.wells(screen),
            parked=status.parked,
            parameters=lease.parameters,
            card=card,
            model_id=record.model.id,
            limits=record.limits,
            limits_from=limits_of(card, record.request.limits),
            image_layout=record.layout,
            intensities=record.intensities,
            earlier=self._earlier(lease.parameters.axis_from),
            notes=(*record.notes, *notes_of(status)),
        )

    def _profiles(self, screen: str, progress: Progress) -> Profiles:
        """Return the vectors of a screen. Raises Outage where those of some sites are missing in the store.

        An analysis of fewer wells than were embedded would look like a good one.
        """
        profiles = self.store.profiles(screen)
        present = int(np.count_nonzero(profiles.tiles == 0))
        # A table of features has no sites in the database.
        if progress.sites and present < progress.done:
            raise Outage(f"the store has the vectors of {present} of the {progress.done} sites that are done")
        return profiles

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
