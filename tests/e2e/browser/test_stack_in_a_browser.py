"""People at work on the real stack with its workers: a newcomer, an editor, a reader, and somebody with bad luck."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tifffile
from gandl_shared.testing import free_port
from playwright.sync_api import Browser, Page, expect

from benchmarks.pages.newcomer import OwnPlate, Way, walk, zip_of
from tests.e2e.browser.chromium import needs_chromium
from tests.e2e.browser.conftest import HOSTILE, PageLog, ScreenedStack, serious_findings
from tests.e2e.running_stack import stack

pytestmark = [*needs_chromium, pytest.mark.slow]

PATIENCE = 240_000
"""Milliseconds: real workers embed and analyse meanwhile, and they share two cores with the browser."""


@contextmanager
def quiet_page(chromium: Browser, url: str) -> Iterator[Page]:
    """Open a page, whose console must stay silent and which asks no other host."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    log = PageLog(page, url)
    yield page
    assert (log.messages, log.foreign) == ([], [])
    context.close()


def one_plate(source: Path, folder: Path) -> Path:
    """Copy the first plate of the simulated screen, and return its plate map."""
    plate = sorted((source / "Images").iterdir())[0]
    shutil.copytree(plate, folder / "Images" / plate.name)
    with (source / "platemap.csv").open() as file:
        rows = [row for row in csv.reader(file) if row[0] in ("plate", plate.name)]
    with (folder / "platemap.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder / "platemap.csv"


def test_from_an_archive_to_a_curve(chromium: Browser, screened_stack: ScreenedStack, tmp_path: Path) -> None:
    plate_map = one_plate(screened_stack.images / "two-lines", tmp_path)
    archive = zip_of(tmp_path / "Images", tmp_path / "own plate.zip")
    plate = OwnPlate(archive=archive, plate_map=plate_map, model="gandl-sim5-64", compound="Antivirin A")
    with quiet_page(chromium, screened_stack.url) as page:
        way = Way()
        walk(page, screened_stack.url, plate, way)
        assert serious_findings(page) == []
        assert sum(step.clicks for step in way.steps) <= 12
        # The address of the curve is a deep link.
        address = page.url
        page.goto(f"{screened_stack.url}/ui/")
        page.goto(address)
        expect(page.get_by_role("heading", name="Antivirin A", exact=True)).to_be_visible()


def test_a_well_is_left_out_compared_and_brought_back(chromium: Browser, screened_stack: ScreenedStack) -> None:
    screen = screened_stack.bbbc013 or screened_stack.two_lines
    with quiet_page(chromium, screened_stack.url) as page:
        hits = page.request.get(f"{screened_stack.url}/screens/{screen}/hits?limit=1").json()
        compound = hits["items"][0]["compound"]
        first = page.request.get(f"{screened_stack.url}/screens/{screen}").json()["analysis_version"]
        page.goto(screened_stack.address(screen, f"/compounds/{compound}"))
        page.locator("a.point").first.focus()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Leave this well out").click()
        form = page.locator("#exclude")
        well = form.get_by_label("Well", exact=True).input_value()
        form.get_by_label("Reason").fill("a bubble <b>covers</b> it")
        form.get_by_label("Your name").fill("Ann")
        form.get_by_role("button", name="Leave out").click()
        page.get_by_text("A new version is being computed").wait_for()
        assert serious_findings(page) == []
        wait_for_version(page, screened_stack, screen, first + 1)
        page.goto(screened_stack.address(screen, f"/compounds/{compound}"))
        # A point that is left out stays, says so, and still leads to its well.
        grey = page.locator("a.point[aria-label*='excluded by Ann'], a.point[aria-label*='left out']").first
        grey.wait_for(state="attached")
        assert well in (grey.get_attribute("aria-label") or "")
        page.goto(screened_stack.address(screen, "/decisions"))
        page.get_by_role("link", name="before and after").first.click()
        page.get_by_role("heading", name="Two analyses side by side").wait_for()
        assert serious_findings(page) == []
        page.go_back()
        page.get_by_text("Bring back", exact=True).click()
        page.locator("details[open]").get_by_label("Reason").fill("it was none")
        page.get_by_role("button", name=f"Bring back well {well}").click()
        page.get_by_text("Nothing is left out.").wait_for()
        wait_for_version(page, screened_stack, screen, first + 2)
        # An earlier version has an address that stays.
        page.goto(screened_stack.address(screen, f"?version={first + 1}"))
        expect(page.get_by_text(f"analysis {first + 1} of {first + 2}")).to_be_visible()
        page.reload()
        expect(page.get_by_role("link", name="show the newest")).to_be_visible()


def wait_for_version(page: Page, stack: ScreenedStack, screen: str, version: int) -> None:
    """Look at the page of the screen until it shows the report of a version."""
    page.goto(stack.address(screen))
    page.get_by_text(re.compile(rf"analysis {version}\b")).first.wait_for()


def test_what_a_person_sets_stands_in_the_report_and_is_taken_back(
    chromium: Browser, screened_stack: ScreenedStack
) -> None:
    screen = screened_stack.two_lines
    with quiet_page(chromium, screened_stack.url) as page:
        page.goto(screened_stack.address(screen, "/decisions"))
        form = page.locator("#assess")
        form.get_by_label("Curve").select_option(index=0)
        form.get_by_label("Verdict").select_option("toxic")
        form.get_by_label("EC50").fill("0,25")
        form.get_by_label("Reason").fill("cells round up")
        form.get_by_label("Your name").fill("Zoë")
        form.get_by_role("button", name="Set beside").click()
        page.get_by_role("heading", name="Set by people").wait_for()
        assert serious_findings(page) == []
        page.goto(screened_stack.address(screen))
        expect(page.get_by_text("Zoë has set toxic, EC50").first).to_be_visible()
        page.goto(screened_stack.address(screen, "/decisions"))
        page.locator("summary", has_text="Take back").first.click()
        page.locator("details[open]").get_by_label("Reason").fill("they do not")
        page.locator("details[open]").get_by_role("button", name="Take back").click()
        page.get_by_role("heading", name="Set by people").wait_for(state="detached")
        page.goto(screened_stack.address(screen))
        expect(page.get_by_text("Zoë has set")).to_have_count(0)


def test_a_damaged_site_is_parked_and_tried_again(chromium: Browser, screened_stack: ScreenedStack) -> None:
    folder = screened_stack.images / "unlucky"
    one_plate(screened_stack.images / "two-lines", folder)
    image = sorted(path for path in (folder / "Images").rglob("*_s1_w1.tif"))[0]
    whole = image.read_bytes()
    # The header is right, so that only decoding can find the damage.
    tifffile.imwrite(image, tifffile.imread(image), compression="zlib")
    damaged = bytearray(image.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 400] = bytes(400)
    image.write_bytes(damaged)
    with quiet_page(chromium, screened_stack.url) as page:
        page.goto(
            f"{screened_stack.url}/ui/new?folder=unlucky%2FImages&map=unlucky%2Fplatemap.csv&model=gandl-sim5-64&check=1"
        )
        page.get_by_label("Name of the screen").fill("unlucky")
        page.get_by_role("button", name="Start the screen").click()
        page.get_by_role("heading", name="Dose-response").wait_for()
        page.get_by_role("link", name="See why, and try again").click()
        assert serious_findings(page) == []
        expect(page.get_by_text(image.name).first).to_be_visible()
        image.write_bytes(whole)
        page.get_by_role("button", name="Try the failed sites again").click()
        page.get_by_role("heading", name="Dose-response").wait_for()
        expect(page.get_by_role("link", name="See why, and try again")).to_have_count(0)
        screen = page.url.rstrip("/").rpartition("/")[2].partition("?")[0]
        # Deletion asks for the name, and the address then says that there is no such screen.
        page.get_by_role("link", name="Delete").click()
        page.get_by_label(re.compile("name", re.IGNORECASE)).first.fill("unlucky")
        page.get_by_role("button", name=re.compile("Delete")).click()
        page.wait_for_url("**/ui/")
        assert page.request.get(screened_stack.address(screen)).status == 404


def test_a_lasso_of_tiles_fills_a_gallery_of_tiles(chromium: Browser, screened_stack: ScreenedStack) -> None:
    screen = screened_stack.bbbc013 or screened_stack.two_lines
    with quiet_page(chromium, screened_stack.url) as page:
        page.goto(screened_stack.address(screen, "/scatter"))
        page.get_by_label("Points").select_option("tiles")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("heading", name=re.compile("tiles as points")).wait_for()
        assert serious_findings(page) == []
        page.locator("#box input[name=x0]").fill("0.5")
        page.get_by_role("button", name="Select").click()
        text = page.locator("#selected").inner_text()
        assert "tiles are selected" in text
        page.wait_for_function("() => document.querySelector('#gallery img')?.naturalWidth > 0")
        assert page.locator("#marks path.on").count() > 0
        page.reload()
        assert page.locator("#selected").inner_text() == text
        assert serious_findings(page) == []
        page.locator("#gallery a").first.click()
        page.get_by_label("Efficacies of tiles over the picture").wait_for()
        assert page.get_by_label("Efficacies of tiles over the picture").is_checked()


@pytest.mark.parametrize(
    "path", ["", "/plates", "/curves", "/scatter?of=tiles&colour=plate", "/downloads", "/analyses", "/delete"]
)
def test_a_hostile_name_is_text_everywhere(chromium: Browser, screened_stack: ScreenedStack, path: str) -> None:
    with quiet_page(chromium, screened_stack.url) as page:
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        page.goto(screened_stack.address(screened_stack.two_lines, path))
        assert page.locator("b.injected").count() == 0
        assert serious_findings(page) == []


def test_a_hostile_name_has_a_page_that_reload_and_back_keep(chromium: Browser, screened_stack: ScreenedStack) -> None:
    with quiet_page(chromium, screened_stack.url) as page:
        page.goto(screened_stack.address(screened_stack.two_lines))
        page.get_by_role("link", name=HOSTILE, exact=True).first.click()
        expect(page.get_by_role("heading", name=HOSTILE, exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name=HOSTILE, exact=True)).to_be_visible()
        assert serious_findings(page) == []
        page.go_back()
        expect(page.get_by_role("heading", name="two-lines")).to_be_visible()


def test_keys_make_editors_and_readers(chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDL_ANALYSIS_API_KEY", "edit-key")
    monkeypatch.setenv("GANDL_ANALYSIS_READER_KEY", "read-key")
    (tmp_path / "images").mkdir()
    images = tmp_path / "images"
    with stack(tmp_path / "home", images, free_port()) as running, quiet_page(chromium, running.url) as page:
        page.goto(f"{running.url}/ui/new?folder=")
        page.get_by_role("heading", name="Sign in").wait_for()
        assert serious_findings(page) == []
        page.get_by_label("Key").fill("edit-key")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("Upload images as a ZIP archive").wait_for()
        page.goto(f"{running.url}/ui/")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Key").fill("read-key")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("Signed in as a reader").wait_for()
        page.goto(f"{running.url}/ui/new")
        page.get_by_text("You have signed in as a reader").wait_for()
        assert page.locator("form[method=post]").count() == 0
        # A form that a reader makes by hand is refused.
        answer = page.request.post(f"{running.url}/ui/new/start", form={"folder": "x", "map": "y"})
        assert answer.status == 403
