"""The real stack for tests in a browser: a simulated plate of 384 wells in two cell lines, and BBBC013 where it is."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from gandl.data_folder import data_folder
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from gandl_shared.testing import free_port
from playwright.sync_api import Browser, BrowserContext, Page

from tests.conftest import REPOSITORY
from tests.e2e.browser.chromium import open_browser
from tests.e2e.running_stack import stack as start_stack

HOSTILE = "=cmd|' /C'!A0 <b class=injected>5 %</b> a/b?c#d \"é\""


@dataclass(frozen=True, kw_only=True)
class ScreenedStack:
    """A running `gandl up` with finished screens. `bbbc013` is None where the images are absent."""

    url: str
    images: Path
    two_lines: str
    bbbc013: str | None

    def address(self, screen: str, path: str = "") -> str:
        """The address of a page of a screen."""
        return f"{self.url}/ui/screens/{screen}{path}"


class PageLog:
    """What a page did while it was open: messages of the console, errors, and requests to other hosts."""

    def __init__(self, page: Page, url: str) -> None:
        self.messages: list[str] = []
        self.foreign: list[str] = []
        page.on("console", lambda message: self.messages.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self._note(request.url, url))

    def _note(self, address: str, url: str) -> None:
        if not address.startswith((url, "data:", "blob:")):
            self.foreign.append(address)


@pytest.fixture(scope="session")
def screened_stack(tmp_path_factory: pytest.TempPathFactory, gandl: Callable[..., object]) -> Iterator[ScreenedStack]:
    """Start `gandl up` once, and wait for its screens. The folder of images holds both data sets."""
    folder = tmp_path_factory.mktemp("browser")
    images = folder / "images"
    images.mkdir()
    lines = ["--cell-line", "HRCE-like", "--cell-line", "VERO-like", "--replicates", "1", "--processes", "2"]
    size = ["--preset", "screen-24", "--wells", "384", "--sites", "1", "--size", "128"]
    gandl("simulate", images / "two-lines", *size, *lines)
    _add_structures(images / "two-lines/platemap.csv")
    requests = {"two_lines": _request("two-lines/Images", images / "two-lines/platemap.csv", "gandl-sim5-64")}
    real = data_folder("bbbc013", checkout=REPOSITORY)
    if real.is_dir():
        # A link would lead out of the folder of images, which the service refuses.
        shutil.copytree(real / "images", images / "bbbc013/images")
        requests["bbbc013"] = _request("bbbc013/images", real / "platemap.csv", "gandl-bbbc013-64")
    with ExitStack() as opened:
        running = opened.enter_context(start_stack(folder / "home", images, free_port()))
        client = opened.enter_context(AnalysisClient(running.url))
        ids = {name: client.submit(request).id for name, request in requests.items()}
        for screen in ids.values():
            assert [status.state for status in client.watch(screen)][-1] is ScreenState.DONE
        yield ScreenedStack(url=running.url, images=images, two_lines=ids["two_lines"], bbbc013=ids.get("bbbc013"))


def _add_structures(plate_map: Path) -> None:
    """Give a compound of a plate map a name that is hard on every program, and give compounds structures."""
    with plate_map.open() as file:
        rows = list(csv.DictReader(file))
    structures = {"Antivirin A": "CCO", "Antivirin B": "no structure ("}
    for row in rows:
        row["smiles"] = structures.get(row["compound"], "")
        row["compound"] = row["compound"].replace("Inert A", HOSTILE)
    with plate_map.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _request(images: str, plate_map: Path, model: str) -> ScreenRequest:
    return ScreenRequest(
        images=images, plate_map_csv=plate_map.read_text(), model=model, name=images.split("/", maxsplit=1)[0]
    )


# Not of the session: while a browser is open, its event loop runs, and no other test of the process can run one.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests of a module."""
    with open_browser() as browser:
        yield browser


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def context(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh profile, in the width of a desk and of a phone."""
    context = chromium.new_context(viewport={"width": request.param, "height": 900}, accept_downloads=True)
    yield context
    context.close()


@pytest.fixture
def opened(context: BrowserContext, screened_stack: ScreenedStack) -> Iterator[Page]:
    """An empty page. The test fails at its end if a script failed, or if anything was asked of another host."""
    page = context.new_page()
    log = PageLog(page, screened_stack.url)
    yield page
    assert (log.messages, log.foreign) == ([], [])


def serious_findings(page: Page) -> list[str]:
    """What axe-core finds on a page that shuts people out: its findings of impact serious or critical."""
    answer = Axe().run(page)
    return [
        f"{finding['id']}: {finding['help']} ({len(finding['nodes'])}× {finding['nodes'][0]['target']})"
        for finding in answer.response["violations"]
        if finding["impact"] in ("serious", "critical")
    ]
