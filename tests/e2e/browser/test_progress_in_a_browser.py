"""A running screen in a real browser: the page updates itself, by events or by polling, and becomes the report."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from gandl_analysis.formats.tile_positions import TileSample
from gandl_analysis.pages.routes import add_pages
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.drawings import StoredDrawings
from gandl_shared.errors import NotFound
from gandl_shared.schemas.screen import Progress, ScreenState, ScreenStatus
from gandl_shared.store import Profiles

from tests.analysis.example.screen import example_analysis
from tests.e2e.browser.chromium import needs_chromium, open_browser

pytestmark = needs_chromium

PATIENCE = 60_000
"""Milliseconds: a report takes a second to draw, and much longer on a busy machine."""


class OneScreen:
    """A screen whose progress the test sets."""

    def __init__(self) -> None:
        self.done = 10
        self.state = ScreenState.EMBEDDING
        self.reading_seconds = 0.0
        full = example_analysis()
        wells = tuple(w for w in full.wells if w.plate == "HRCE-1")
        self.result = full.model_copy(update={"wells": wells, "curves": full.curves[:1]})

    def status(self, screen_id: str) -> ScreenStatus:
        ended = self.state is ScreenState.DONE
        return ScreenStatus(
            id=screen_id,
            name="Live",
            state=self.state,
            model="m",
            plates=1,
            wells=96,
            progress=Progress(sites=100, done=self.done, parked=0),
            analysis_version=1 if ended else None,
            created_at="2026-11-24T02:22:00Z",
        )

    def screens(self) -> Sequence[ScreenStatus]:
        return [self.status("one")]

    def analysis(self, screen_id: str, version: int | None = None) -> ScreenAnalysis | None:
        time.sleep(self.reading_seconds)
        return self.result

    def profiles(self, screen_id: str) -> Profiles:
        raise NotFound(f"screen '{screen_id}' has no vectors yet")

    def drawings(self, screen_id: str, version: int) -> StoredDrawings | None:
        return None

    def tile_sample(self, screen_id: str, version: int) -> TileSample | None:
        return None


def application(screen: OneScreen, *, events: bool) -> FastAPI:
    """The pages with the two routes they read. A stream sends the state once and ends, so that the page reconnects."""
    app = FastAPI()
    add_pages(app, screen)

    def status(screen_id: str) -> Response:
        return JSONResponse(screen.status(screen_id).model_dump(mode="json"))

    def stream(screen_id: str) -> Response:
        body = f"retry: 100\nevent: status\ndata: {screen.status(screen_id).model_dump_json()}\n\n"
        return Response(body, media_type="text/event-stream") if events else Response(status_code=404)

    app.add_api_route("/screens/{screen_id}", status, response_model=None)
    app.add_api_route("/screens/{screen_id}/events", stream, response_model=None)
    return app


@pytest.fixture(params=[True, False], ids=["events", "polling"])
def live_screen(request: pytest.FixtureRequest) -> Iterator[tuple[OneScreen, str]]:
    screen = OneScreen()
    config = uvicorn.Config(application(screen, events=request.param), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield screen, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE / 1000)


def test_the_page_updates_itself_and_becomes_the_report(live_screen: tuple[OneScreen, str]) -> None:
    screen, address = live_screen
    with open_browser() as browser:
        page = browser.new_page()
        page.goto(f"{address}/ui/screens/one")
        page.get_by_text("10 %", exact=True).wait_for(timeout=PATIENCE)
        screen.done = 60
        page.get_by_text("60 %", exact=True).wait_for(timeout=PATIENCE)
        screen.done, screen.state = 100, ScreenState.DONE
        page.get_by_role("heading", name="Dose-response").wait_for(timeout=PATIENCE)


def test_a_report_that_takes_long_is_requested_once(live_screen: tuple[OneScreen, str]) -> None:
    """The old page stays open until the report comes, and must not ask for it again meanwhile."""
    screen, address = live_screen
    screen.reading_seconds = 3.0  # longer than the page waits between two polls
    with open_browser() as browser:
        page = browser.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url) if request.is_navigation_request() else None)
        page.goto(f"{address}/ui/screens/one")
        page.get_by_text("10 %", exact=True).wait_for(timeout=PATIENCE)
        screen.done, screen.state = 100, ScreenState.DONE
        page.get_by_role("heading", name="Dose-response").wait_for(timeout=PATIENCE)
    assert requests == [f"{address}/ui/screens/one"] * 2
