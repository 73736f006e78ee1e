"""What the pages read, from the same parts as the routes of the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gandl_shared.errors import Conflict
from gandl_shared.schemas.screen import ScreenStatus
from gandl_shared.store import Profiles

from gandl_analysis.api.provider import Provider
from gandl_analysis.formats.tile_positions import TileSample
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.drawings import StoredDrawings


class ScreenReader(Protocol):
    """The screens that pages show. Its methods are called from worker threads."""

    def screens(self) -> Sequence[ScreenStatus]:
        """Return all screens, newest first."""

    def status(self, screen_id: str) -> ScreenStatus:
        """Return the state of a screen as it is now. Raises NotFound."""

    def analysis(self, screen_id: str, version: int | None = None) -> ScreenAnalysis | None:
        """Return a stored analysis, the newest one without a version, or None before the first one. Raises NotFound
        for a screen or a version that does not exist, and Conflict for a version that has no results."""

    def profiles(self, screen_id: str) -> Profiles:
        """Return the vectors of all tiles of a screen with the metrics of their sites. Raises NotFound."""

    def drawings(self, screen_id: str, version: int) -> StoredDrawings | None:
        """Return the figures that were drawn when an analysis ended, or None where there are none."""

    def tile_sample(self, screen_id: str, version: int) -> TileSample | None:
        """Return the sample of tiles that was made when an analysis ended, or None where there is none."""


class ServiceReader:
    """The screens of the running service."""

    def __init__(self, services: Provider) -> None:
        self._services = services

    def screens(self) -> Sequence[ScreenStatus]:
        """Return all screens, newest first."""
        return self._services().submissions.all()

    def status(self, screen_id: str) -> ScreenStatus:
        """Return the state of a screen as it is now. Raises NotFound."""
        return self._services().submissions.status(screen_id)

    def analysis(self, screen_id: str, version: int | None = None) -> ScreenAnalysis | None:
        """Return a stored analysis, the newest one without a version, or None before the first one. Raises NotFound
        for a screen or a version that does not exist, and Conflict for a version that has no results."""
        try:
            return self._services().results.of(screen_id, version).analysis
        except Conflict:
            if version is not None:
                raise
            return None  # the screen exists and has no result yet

    def profiles(self, screen_id: str) -> Profiles:
        """Return the vectors of all tiles of a screen with the metrics of their sites. Raises NotFound."""
        return self._services().results.profiles(screen_id)

    def drawings(self, screen_id: str, version: int) -> StoredDrawings | None:
        """Return the figures that were drawn when an analysis ended, or None where there are none."""
        return self._services().results.drawings(screen_id, version)

    def tile_sample(self, screen_id: str, version: int) -> TileSample | None:
        """Return the sample of tiles that was made when an analysis ended, or None where there is none."""
        return self._services().results.tile_sample(screen_id, version)
