"""What stands on the pages of a screen that has no result yet: its state, and what to do next."""

from __future__ import annotations

from gandl_shared.errors import NotFound
from gandl_shared.schemas.screen import ScreenState, ScreenStatus
from gandl_shared.web.requests.access import Session

from gandl_analysis.pages.frame.environment import environment

RUNNING_STATES = (ScreenState.QUEUED, ScreenState.EMBEDDING, ScreenState.ANALYSING)


class NoAnalysisYet(NotFound):
    """A screen has no analysis, so a page about its results shows its progress. `screen` is its state."""

    def __init__(self, status: ScreenStatus) -> None:
        super().__init__(f"screen {status.id} has no analysis yet; its page shows the progress")
        self.screen = status


def progress_text(status: ScreenStatus, base: str, session: Session | None) -> str:
    """Return the page of a screen that runs, or that has ended without a result."""
    template = environment().get_template("progress.html")
    return template.render(base=base, status=status, is_running=status.state in RUNNING_STATES, session=session)
