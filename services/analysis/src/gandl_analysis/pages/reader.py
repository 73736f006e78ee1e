"""What the pages read, from the same parts as the routes."""

from __future__ import annotations

from collections.abc import Sequence

from gandl_shared.errors import Conflict
from gandl_shared.schemas.screen import ScreenStatus

from gandl_analysis.api.provider import Provider
from gandl_analysis.pipeline.result import ScreenAnalysis


class PageReader:
    """Implements `gandl_analysis.pages.routes.ScreenReader`."""

    def __init__(self, services: Provider) -> None:
        self._services = services

    def screens(self) -> Sequence[ScreenStatus]:
        """All screens, newest first."""
        return self._services().submissions.all()

    def status(self, screen_id: str) -> ScreenStatus:
        """One screen as it is now. Raises NotFound."""
        return self._services().submissions.status(screen_id)

    def analysis(self, screen_id: str) -> ScreenAnalysis | None:
        """The newest stored analysis, None before the first. Raises NotFound."""
        try:
            return self._services().results.of(screen_id).analysis
        except Conflict:
            return None
