"""Forms in a real browser: from a folder to a curve, exclude and undo, retry a failed site, sign in and out."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from gandl_analysis.app import build
from gandl_analysis.settings import Settings
from playwright.sync_api import Page

from tests.analysis.service.stack import FakeModels, Stack, running_stack, seeded, settings_of
from tests.e2e.browser.chromium import needs_chromium, open_browser
from tests.e2e.browser.conftest import PageLog, serious_findings

__all__ = ["seeded"]

pytestmark = [*needs_chromium, pytest.mark.slow]

PATIENCE = 60_000
KEYS = {"api_key": "edit-key", "reader_key": "read-key"}


@contextmanager
def serving(stack: Stack, settings: Settings) -> Iterator[str]:
    """Serve the folder of a stack on a port of its own. The test itself does what workers would do."""
    app = build(settings, queue=stack.queue, models=FakeModels())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE / 1000)


@pytest.fixture
def home(seeded: Path, tmp_path: Path) -> Iterator[Stack]:
    """A copy of the folder of finished screens."""
    shutil.copytree(seeded, tmp_path / "home")
    with running_stack(tmp_path / "home") as stack:
        yield stack


@contextmanager
def opened(url: str, width: int = 1280, refusals: int = 0) -> Iterator[Page]:
    """Open an empty page, which must ask no other host, and report nothing but the statuses of so many refusals."""
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.set_default_timeout(PATIENCE)
        log = PageLog(page, url)
        yield page
        assert log.foreign == []
        assert len(log.messages) == refusals, log.messages
        assert all("responded with a status of 4" in message for message in log.messages), log.messages


@pytest.mark.parametrize("width", [1280, 390])
def test_from_the_form_to_a_curve(home: Stack, width: int) -> None:
    with serving(home, settings_of(home.home)) as url, opened(url, width) as page:
        page.goto(f"{url}/ui/")
        page.get_by_role("link", name="New screen").first.click()
        page.get_by_role("link", name="plate", exact=True).click()
        assert serious_findings(page) == []
        # The plate map lies beside the folder of images; the address keeps both.
        page.goto(f"{url}/ui/new?folder=plate%2FImages&map=plate%2Fplatemap.csv&check=1")
        page.get_by_text("64 fields of view").wait_for()
        assert serious_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.get_by_label("Name of the screen").fill("from the browser")
        page.get_by_role("button", name="Start the screen").click()
        page.get_by_role("heading", name="from the browser").wait_for()
        assert serious_findings(page) == []
        home.work(home.ids["from the browser"])
        page.get_by_role("heading", name="Dose-response").wait_for()
        page.reload()
        page.get_by_role("heading", name="Dose-response").wait_for()


def test_a_well_is_excluded_seen_in_a_new_version_and_brought_back(home: Stack) -> None:
    with serving(home, settings_of(home.home)) as url, opened(url) as page:
        page.goto(f"{url}/ui/screens/{home.first}/decisions?level=well&plate=P1&well=A05")
        assert page.get_by_label("Well", exact=True).input_value() == "A05"
        assert page.get_by_label("Dose in µM").is_hidden()
        form = page.locator("#exclude")
        form.get_by_label("Reason").fill("a bubble")
        form.get_by_label("Your name").fill("Ann")
        form.get_by_role("button", name="Leave out").click()
        page.get_by_text("A new version is being computed").wait_for()
        assert serious_findings(page) == []
        while home.runs().run():
            pass
        page.reload()
        page.get_by_role("link", name="before and after").click()
        page.get_by_role("heading", name="Two analyses side by side").wait_for()
        assert serious_findings(page) == []
        assert page.locator("table").nth(1).locator("tbody tr").first.inner_text().split()[:2] == ["P1", "A05"]
        page.go_back()
        page.get_by_text("Bring back", exact=True).click()
        page.locator("details[open]").get_by_label("Reason").fill("it was none")
        page.get_by_role("button", name="Bring back well A05 of plate P1").click()
        page.get_by_text("Nothing is left out.").wait_for()
        while home.runs().run():
            pass
        page.goto(f"{url}/ui/screens/{home.first}/analyses")
        assert page.locator("table tbody tr").count() == 3
        assert serious_findings(page) == []


def test_a_form_that_was_refused_comes_back_as_it_was_filled_in(home: Stack) -> None:
    with serving(home, settings_of(home.home)) as url, opened(url, refusals=3) as page:
        back = page.get_by_role("link", name="Back to the form")
        page.goto(f"{url}/ui/screens/{home.first}/decisions")
        form = page.locator("#assess")
        form.get_by_label("Verdict").select_option("toxic")
        form.get_by_label("EC50 in µM").fill("<b>")
        form.get_by_label("Reason").fill("a long reason")
        form.get_by_label("Your name").fill("Ann")
        form.get_by_role("button", name="Set beside").click()
        page.get_by_role("heading", name="This was not done").wait_for()
        assert serious_findings(page) == []
        back.click()
        assert form.get_by_label("Reason").input_value() == "a long reason"
        assert form.get_by_label("Your name").input_value() == "Ann"
        assert (form.get_by_label("Verdict").input_value(), form.get_by_label("EC50 in µM").input_value()) == (
            "toxic",
            "<b>",
        )
        form.get_by_label("EC50 in µM").fill("2")
        form.get_by_role("button", name="Set beside").click()
        page.get_by_role("heading", name="Set by people").wait_for()

        page.goto(f"{url}/ui/screens/{home.first}/analyses")
        page.get_by_label("Normalisation").select_option("align")
        page.get_by_label("Test whether replicates find each other").check()
        page.get_by_label("Largest q of an active compound").fill("7")
        page.get_by_role("button", name="Analyse again").click()
        back.click()
        assert page.get_by_label("Normalisation").input_value() == "align"
        assert page.get_by_label("Test whether replicates find each other").is_checked()
        assert page.get_by_label("Largest q of an active compound").input_value() == "7"

        page.goto(f"{url}/ui/new?folder=plate%2FImages&map=plate%2Fplatemap.csv&check=1")
        page.get_by_label("Name of the screen").fill("a name")
        plate_map = home.home / "root" / "plate" / "platemap.csv"
        plate_map.rename(plate_map.with_suffix(".away"))
        page.get_by_role("button", name="Start the screen").click()
        back.wait_for()
        plate_map.with_suffix(".away").rename(plate_map)
        back.click()
        assert page.get_by_label("Name of the screen").input_value() == "a name"
        page.get_by_role("button", name="Start the screen").click()
        page.get_by_role("heading", name="a name").wait_for()


def test_a_failed_site_is_tried_again(home: Stack) -> None:
    images = home.database.screens.get(home.waiting).images
    image = next(path for path in sorted(images.rglob("*")) if path.is_file())
    whole = image.read_bytes()
    image.write_bytes(b"damaged")
    try:
        home.work(home.waiting)
    finally:
        image.write_bytes(whole)
    with serving(home, settings_of(home.home)) as url, opened(url) as page:
        page.goto(f"{url}/ui/screens/{home.waiting}")
        page.get_by_role("link", name="See why, and try again").click()
        assert serious_findings(page) == []
        page.get_by_role("button", name="Try the failed sites again").click()
        page.get_by_role("button", name="Cancel").wait_for()
        home.work(home.waiting)
        page.get_by_role("heading", name="Dose-response").wait_for()
        assert page.get_by_role("link", name="failed").count() == 0


def test_signing_in_as_an_editor_and_as_a_reader(home: Stack) -> None:
    settings = Settings.model_validate({**settings_of(home.home).model_dump(), **KEYS})
    with serving(home, settings) as url, opened(url) as page:
        page.goto(f"{url}/ui/screens/{home.first}/decisions?well=A05")
        page.get_by_role("heading", name="Sign in").wait_for()
        assert serious_findings(page) == []
        page.get_by_label("Key").fill("edit-key")
        page.get_by_role("button", name="Sign in").click()
        # The way leads back to the page that was asked for, with what it had in its address.
        page.locator("#exclude").wait_for()
        assert page.get_by_label("Well", exact=True).input_value() == "A05"
        page.goto(f"{url}/ui/")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Key").fill("read-key")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("Signed in as a reader").wait_for()
        page.goto(f"{url}/ui/screens/{home.first}/decisions")
        page.get_by_text("You have signed in as a reader").wait_for()
        assert page.locator("#exclude").count() == 0
