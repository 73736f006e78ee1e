"""The typed client, the example script and the curl script against a service that listens on a port."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from gandl_analysis.app import build
from gandl_shared.clients.analysis import CSV, PNG, SVG, AnalysisClient
from gandl_shared.clients.http import Retry
from gandl_shared.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from gandl_shared.plates import SiteId
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from gandl_shared.testing import PATIENCE, free_port, wait_until

from tests.analysis.service.stack import STRANGE_NAME, Stack

REQUEST = ScreenRequest(name="by client", images="plate/Images", plate_map="plate/platemap.csv")


@pytest.fixture
def url(stack: Stack) -> Iterator[str]:
    """The address of the service; whatever is announced to its queue is worked on at once, in a thread."""
    settings = stack.settings.model_copy(update={"events_seconds": 60})
    app = build(settings, queue=_Working(stack), models=stack.models)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, what="the service")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(PATIENCE)
    assert not thread.is_alive()


class _Working:
    """A queue with a worker behind it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def batch_ready(self, batch_ids: object) -> None:
        """Do all there is to do for the newest screen."""
        newest = self._stack.database.screens.statuses()[0].id
        threading.Thread(target=self._stack.work, args=[newest]).start()

    def analysis_ready(self, analysis_id: int) -> None:
        """Run that analysis."""
        threading.Thread(target=self._stack.runs().run, args=[analysis_id]).start()


def test_a_screen_from_submission_to_curves(url: str, stack: Stack) -> None:
    with AnalysisClient(url) as gandl:
        screen = gandl.submit(REQUEST)
        states = [status.state for status in gandl.watch(screen.id, every=0.02)]
        assert states[-1] is ScreenState.DONE
        assert {w.well: w.efficacy for w in gandl.wells(screen.id)} == {
            w.well: w.efficacy for w in gandl.wells(stack.first)
        }
        assert [(hit.compound, hit.cell_line) for hit in gandl.hits(screen.id)] == [("X", "U2OS")]
        assert gandl.compare(screen.id, stack.first).largest_difference == 0
        assert gandl.quality(screen.id) == gandl.quality(stack.first)
        assert {page.name for page in gandl.screens().items} == {"by client", "waiting", "second", "first"}
        gandl.delete(screen.id)
        with pytest.raises(NotFound):
            gandl.screen(screen.id)


def test_events_follow_a_screen_to_its_end(url: str, stack: Stack) -> None:
    events = _events(url, stack.waiting, then=lambda: stack.work(stack.waiting))
    assert (json.loads(events[0][1])["state"], events[-1]) == ("queued", ("end", "done"))
    assert {name for name, _ in events[:-1]} == {"status"}
    done = [json.loads(data)["progress"]["done"] for _, data in events[:-1]]
    assert (done, done[0], done[-1]) == (sorted(done), 0, 64)


def test_events_end_when_the_screen_is_deleted(url: str, stack: Stack) -> None:
    screen = stack.waiting
    events = _events(url, screen, then=lambda: stack.database.screens.delete(screen))
    assert [name for name, _ in events] == ["status", "gone"]


def _events(url: str, screen: str, then: Callable[[], None]) -> list[tuple[str, str]]:
    """All events of a screen; what shall happen to it happens once the first has come."""
    events: list[tuple[str, str]] = []
    with httpx.stream("GET", f"{url}/screens/{screen}/events", timeout=60) as stream:
        lines = stream.iter_lines()
        for line in lines:
            if line.startswith("event: "):
                events.append((line.removeprefix("event: "), next(lines).removeprefix("data: ")))
                if len(events) == 1:
                    then()
    return events


def test_results_in_all_forms(url: str, stack: Stack) -> None:
    with AnalysisClient(url) as gandl:
        assert len(gandl.wells_csv(stack.second, role="treatment").splitlines()) == 1 + 48
        assert len(list(csv.DictReader(io.StringIO(gandl.hits_csv(stack.second, cell_line="A549"))))) == 2
        assert [axis.cell_line for axis in gandl.axes(stack.second, "E2").axes] == ["U2OS", "A549"]
        assert sum(site.n_tiles for site in gandl.sites(stack.second)) == sum(
            well.n_tiles for well in gandl.wells(stack.second)
        )
        assert gandl.report(stack.first).startswith("<!doctype html>") or "<html" in gandl.report(stack.first)
        assert [compound.compound for compound in gandl.compounds(q="50%")] == [STRANGE_NAME]
        assert {curve.cell_line for curve in gandl.dose_response(STRANGE_NAME).curves} == {"U2OS", "A549"}
        starts = {CSV: b"screen,compound", SVG: b"<", PNG: b"\x89PNG"}
        for form, start in starts.items():
            assert gandl.dose_response_as(form, STRANGE_NAME, cell_line="A549").startswith(start)


def test_another_analysis(url: str, stack: Stack) -> None:
    with AnalysisClient(url) as gandl:
        queued = gandl.analyse(stack.first, AnalysisParameters(whitening="none"))
        assert queued.version == 2
        wait_until(lambda: gandl.analyses(stack.first)[1].state == "done", what="the analysis")
        assert gandl.compare(stack.first, stack.first, version=1, other_version=2).largest_difference != 0


def test_errors_come_back_as_what_they_are(url: str, stack: Stack) -> None:
    with AnalysisClient(url, retry=Retry(attempts=1)) as gandl:
        with pytest.raises(Conflict, match="no results"):
            gandl.quality(stack.waiting)
        with pytest.raises(Forbidden):
            gandl.submit(REQUEST.model_copy(update={"images": ".."}))
        with pytest.raises(NotFound):
            gandl.dose_response("no such compound")
        (stack.home / "root/plate/Images/P1/C03_s1_w1.tif").unlink()
        with pytest.raises(Invalid) as refusal:
            gandl.submit(REQUEST)
        assert "C03" in str(refusal.value.problems[0])


def test_a_key_is_sent(stack: Stack, seeded: Path) -> None:
    locked = type(stack.settings).model_validate({**stack.settings.model_dump(), "api_key": "s3cret"})
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(build(locked, queue=stack.queue), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, what="the service")
    try:
        with AnalysisClient(f"http://127.0.0.1:{port}", api_key="s3cret") as gandl:
            assert gandl.screens().total == 3
        with AnalysisClient(f"http://127.0.0.1:{port}") as gandl, pytest.raises(Unauthorized):
            gandl.screens()
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


def test_the_example_script_prints_what_was_found(url: str, repository: Path) -> None:
    command = [sys.executable, repository / "examples/screen_a_plate.py", url, "plate/Images", "plate/platemap.csv"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "done: 64 of 64 sites" in ended.stderr
    assert "U2OS: Z' = " in ended.stdout
    assert "\tX\tU2OS\t" in ended.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_curl_script_prints_the_same(url: str, repository: Path) -> None:
    command = [repository / "examples/screen_a_plate.sh", url, "plate/Images", "plate/platemap.csv"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "event: end\ndata: done" in ended.stderr
    assert ended.stdout.startswith("rank,compound,cell_line")
    assert ",X,U2OS," in ended.stdout


def test_pictures_of_sites_and_plates(url: str, stack: Stack) -> None:
    with AnalysisClient(url) as client:
        site = SiteId("P1", "C04", "1")
        thumbnail = client.thumbnail(stack.first, site, part="tile", format="png")
        assert thumbnail.startswith(b"\x89PNG")
        assert client.sprite(stack.first, "P1", edge=8).startswith(b"\xff\xd8")
        assert client.sprite_index(stack.first, "P1", edge=8).columns == 12
        with pytest.raises(Forbidden, match="outside the image folder"):
            client.image(stack.first, site, channel=1)
