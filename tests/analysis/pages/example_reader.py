"""Screens in every state, for pages that need no store."""

from __future__ import annotations

from collections.abc import Sequence

from gandl_analysis.formats.tile_positions import TileSample
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.drawings import StoredDrawings
from gandl_shared.errors import NotFound
from gandl_shared.schemas.screen import ParkedSite, Progress, ScreenState, ScreenStatus
from gandl_shared.store import Profiles

from tests.analysis.example.screen import example_analysis

EVIL = "a/b <script>alert(1)</script> 5%"


def screen_status(
    screen_id: str,
    state: ScreenState,
    *,
    version: int | None = None,
    error: str | None = None,
    waiting: str | None = None,
) -> ScreenStatus:
    """Return a screen with 50 of 200 sites done and two that failed."""
    return ScreenStatus(
        id=screen_id,
        name=f"Screen {screen_id} {EVIL}",
        state=state,
        model="gandl-example-64",
        plates=2,
        wells=192,
        progress=Progress(sites=200, done=50, parked=2),
        parked=(ParkedSite(plate="P", well="A01", site="1", error=EVIL),),
        error=error,
        waiting=waiting,
        analysis_version=version,
        created_at="2026-11-24T02:22:00Z",
    )


class ExampleReader:
    """Screens in every state. `reads` counts how often an analysis was read, and `version` is the newest one."""

    def __init__(self) -> None:
        example = example_analysis([EVIL])
        wells = tuple(well for well in example.wells if well.plate == "HRCE-1")
        self.result = example.model_copy(update={"wells": wells, "curves": example.curves[:2]})
        self.reads = 0
        self.version = 1

    def screens(self) -> Sequence[ScreenStatus]:
        """Return one screen in each state, and one without an analysis."""
        return [
            screen_status("done", ScreenState.DONE, version=self.version),
            screen_status("running", ScreenState.EMBEDDING, waiting="the folder of the images is away"),
            screen_status("failed", ScreenState.FAILED, error=f"no site could be read {EVIL}"),
            screen_status("cancelled", ScreenState.CANCELLED),
            screen_status("bare", ScreenState.DONE),
        ]

    def status(self, screen_id: str) -> ScreenStatus:
        """Return one of them. Raises NotFound."""
        for screen in self.screens():
            if screen.id == screen_id:
                return screen
        raise NotFound(f"there is no screen {screen_id}")

    def analysis(self, screen_id: str, version: int | None = None) -> ScreenAnalysis | None:
        """Return the result of the screens that have one."""
        self.reads += 1
        return self.result if self.status(screen_id).analysis_version else None

    def profiles(self, screen_id: str) -> Profiles:
        """Raise NotFound: no vectors are stored."""
        raise NotFound(f"screen '{screen_id}' has no vectors yet")

    def drawings(self, screen_id: str, version: int) -> StoredDrawings | None:
        """Return None: nothing was drawn ahead."""
        return None

    def tile_sample(self, screen_id: str, version: int) -> TileSample | None:
        """Return None: no tiles were sampled."""
        return None
