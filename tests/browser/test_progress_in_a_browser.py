"""A running screen in a real browser: the page follows, by events or by asking, and turns into the report."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from gandl_analysis.pages.routes import build_pages
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.schemas.screen import Progress, ScreenState, ScreenStatus
from playwright.sync_api import sync_playwright

from tests.analysis.example import example_analysis

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
]


class OneScreen:
    """A screen whose progress the test sets."""

    def __init__(self) -> None:
        self.done = 10
        self.state = ScreenState.EMBEDDING
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

    def analysis(self, screen_id: str) -> ScreenAnalysis | None:
        return self.result


def application(screen: OneScreen, *, events: bool) -> FastAPI:
    """The pages with the two routes they follow; a stream tells the state once and closes, so the page comes again."""
    app = FastAPI()
    app.include_router(build_pages(screen))

    def status(screen_id: str) -> Response:
        return JSONResponse(screen.status(screen_id).model_dump(mode="json"))

    def stream(screen_id: str) -> Response:
        body = f"retry: 100\nevent: status\ndata: {screen.status(screen_id).model_dump_json()}\n\n"
        return Response(body, media_type="text/event-stream") if events else Response(status_code=404)

    app.add_api_route("/screens/{screen_id}", status, response_model=None)
    app.add_api_route("/screens/{screen_id}/events", stream, response_model=None)
    return app


@pytest.fixture(params=[True, False], ids=["events", "polling"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[OneScreen, str]]:
    screen = OneScreen()
    config = uvicorn.Config(application(screen, events=request.param), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield screen, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def test_the_page_follows_and_becomes_the_report(served: tuple[OneScreen, str]) -> None:
    screen, address = served
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(f"{address}/ui/screens/one")
        page.get_by_text("10 %", exact=True).wait_for(timeout=5000)
        screen.done = 60
        page.get_by_text("60 %", exact=True).wait_for(timeout=5000)
        screen.done, screen.state = 100, ScreenState.DONE
        page.get_by_role("heading", name="Dose-response").wait_for(timeout=10000)
        browser.close()
