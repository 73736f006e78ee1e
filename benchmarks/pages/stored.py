"""A server of the pages for one stored screen: `python -m benchmarks.pages.stored STORE PORT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache

import uvicorn
from fastapi import FastAPI
from gandl_analysis.formats.store_layout import read_analysis, read_drawings, read_sample
from gandl_analysis.formats.tile_positions import TileSample
from gandl_analysis.pages.routes import build_pages
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.drawings import StoredDrawings
from gandl_shared.errors import NotFound
from gandl_shared.schemas.screen import Progress, ScreenState, ScreenStatus
from gandl_shared.store import Profiles, Store

SCREEN = "large"


class StoredReader:
    """A reader of the pages without a database: its one screen is read from a store, as the service reads it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._analysis = lru_cache(maxsize=1)(lambda: read_analysis(store, SCREEN, 1))

    def screens(self) -> Sequence[ScreenStatus]:
        """Return the screen."""
        return [self.status(SCREEN)]

    def status(self, screen_id: str) -> ScreenStatus:
        """Return the screen as done."""
        return ScreenStatus(
            id=screen_id,
            name="a large invented screen",
            state=ScreenState.DONE,
            model="gandl-bench-64",
            plates=1,
            wells=1,
            progress=Progress(sites=1, done=1, parked=0),
            analysis_version=1,
            created_at="2026-11-27T00:00:00Z",
        )

    def analysis(self, screen_id: str, version: int | None = None) -> ScreenAnalysis | None:
        """Return the analysis."""
        return self._analysis()

    def profiles(self, screen_id: str) -> Profiles:
        """Raise NotFound: an invented screen has no vectors."""
        raise NotFound(f"screen '{screen_id}' has no vectors yet")

    def drawings(self, screen_id: str, version: int) -> StoredDrawings | None:
        """Return the figures that were drawn ahead."""
        return read_drawings(self._store, screen_id, version)

    def tile_sample(self, screen_id: str, version: int) -> TileSample | None:
        """Return the sample of tiles that was made ahead."""
        return read_sample(self._store, screen_id, version)


def main(store: str, port: int) -> None:
    """Serve the pages of a store until the process is stopped."""
    app = FastAPI()
    app.include_router(build_pages(StoredReader(Store(store))))  # type: ignore[arg-type]  # pages that only read
    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
