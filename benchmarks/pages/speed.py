"""How fast the pages are on large screens, in the tests' browser: `make bench-pages`.

An invented analysis of each size is stored as an analysis job stores it. Then a new server process is asked for each
page: the first answer reads the stored analysis (cold), the second one does not (warm). The processor time of the first
answer does not depend on what else the machine does. First content is the browser's
own first contentful paint after the start of the navigation. An interaction is the time from an event in the page to
the frame after it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from gandl_shared.testing import free_port
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.pages.large import ScreenSize
from benchmarks.pages.stored import SCREEN, store_screen
from benchmarks.tables import write_between
from checks.browser import find_chromium

SIZES = (ScreenSize(plates=8, wells=384), ScreenSize(plates=4, wells=1536))
OF_SCREEN = f"/ui/screens/{SCREEN}"
PAGES = {
    "report": OF_SCREEN,
    "all plates": f"{OF_SCREEN}/plates",
    "a plate": f"{OF_SCREEN}/plates/HRCE-1",
    "a plate of pictures": f"{OF_SCREEN}/plates/HRCE-1?view=pictures",
    "a well": f"{OF_SCREEN}/wells/HRCE-1/C05?tiles=true",
    "a compound": f"{OF_SCREEN}/compounds/Compound%20001",
    "gallery of curves": f"{OF_SCREEN}/curves",
    "decisions": f"{OF_SCREEN}/decisions",
    "scatter of wells": f"{OF_SCREEN}/scatter",
    "scatter of tiles": f"{OF_SCREEN}/scatter?of=tiles",
    "downloads": f"{OF_SCREEN}/downloads",
    "analyses": f"{OF_SCREEN}/analyses",
    "failed sites": f"{OF_SCREEN}/parked",
    "screens": "/ui/",
    "new screen": "/ui/new",
    "two analyses": f"/ui/compare?first={SCREEN}&version=1&second={SCREEN}&other_version=1",
    "over time": "/ui/over-time",
}
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
_INTERACTION = """
([selector, name, key]) => new Promise((resolve) => {
  const target = document.querySelector(selector);
  target.focus();
  const start = performance.now();
  const event = name === 'keydown' ? new KeyboardEvent(name, {key, bubbles: true, cancelable: true})
    : new Event(name, {bubbles: true});
  if (name === 'input') target.value = key;
  target.dispatchEvent(event);
  requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start), 0));
})
"""
_INTERACTIONS = {
    "report": ("#filter-text", "input", "12"),
    "a plate": ("#plate a.well", "keydown", "ArrowRight"),
    "a plate of pictures": ("#plate a.well", "keydown", "ArrowRight"),
    "a well": ("form[data-viewer] input[name=low]", "input", "1"),
    "a compound": ("a.point", "focus", ""),
    "gallery of curves": ("input[type=search]", "input", "12"),
    "decisions": ("#exclude [name=well]", "input", "C05"),
    "scatter of wells": ("#box", "submit", ""),
    "scatter of tiles": ("#box", "submit", ""),
}
"""What a reader does on a page. A submission of the empty form of a scatter selects all of its points."""
_START_SECONDS = 180.0


@dataclass(frozen=True, kw_only=True)
class PageSpeed:
    """Milliseconds: processor time of the first answer, first content cold and warm, interaction; size of HTML."""

    size: ScreenSize
    page: str
    processor: float
    cold: float
    warm: float
    interaction: float | None
    megabytes: float


def measure(browser: Browser, size: ScreenSize, folder: Path) -> Iterator[PageSpeed]:
    """Yield the speed of each page of a screen of that size."""
    store_screen(folder, size)
    for name, path in PAGES.items():
        # Every page gets a process of its own, because the first page of a process reads the analysis.
        with _server(folder) as (address, process):
            url = f"{address}{path}"
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(1000 * _START_SECONDS)
            before = _processor_ms(process)
            cold = _first_content(page, url)
            processor, warm = _processor_ms(process) - before, _first_content(page, url)
            yield PageSpeed(
                size=size,
                page=name,
                processor=processor,
                cold=cold,
                warm=warm,
                interaction=_interaction(page, name),
                megabytes=len(httpx.get(url).content) / 1e6,
            )
            page.close()


def table(speeds: list[PageSpeed]) -> str:
    """Return the speeds as Markdown."""
    head = (
        "| screen | page | server, cold (ms of processor) | first content, cold (ms) | warm (ms) | interaction (ms) "
        "| HTML (MB) |"
    )
    return f"{head}\n|---|---|---|---|---|---|---|\n" + "".join(
        f"| {s.size.label} | {s.page} | {s.processor:.0f} | {s.cold:.0f} | {s.warm:.0f} | "
        f"{'' if s.interaction is None else f'{s.interaction:.0f}'} | {s.megabytes:.1f} |\n"
        for s in speeds
    )


def _processor_ms(process: psutil.Process) -> float:
    times = process.cpu_times()
    return 1000 * float(times.user + times.system)


def _first_content(page: Page, url: str) -> float:
    page.goto(url, wait_until="load")
    paint = page.wait_for_function(_PAINT).json_value()
    return float(paint)


def _interaction(page: Page, name: str) -> float | None:
    wish = _INTERACTIONS.get(name)
    return None if wish is None else min(float(page.evaluate(_INTERACTION, list(wish))) for _ in range(5))


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    address = f"http://127.0.0.1:{(port := free_port())}"
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.pages.stored", str(folder), str(port)])
    try:
        end = time.monotonic() + _START_SECONDS
        while not _answers(address):
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit("the server of the pages did not start")
            time.sleep(0.1)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/live").is_success
    except httpx.TransportError:
        return False


def main() -> None:
    """Measure all pages, and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, required=True)
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        speeds = []
        for size in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                speeds += list(measure(browser, size, Path(folder)))
        browser.close()
    print(table(speeds))
    write_between(arguments.page, "speed", table(speeds))


if __name__ == "__main__":
    main()
