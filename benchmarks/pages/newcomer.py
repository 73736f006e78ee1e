"""A newcomer's way, driven in a browser and timed: from `gandl up` with nothing to a curve of an own plate.

The own plate is BBBC013 where its images are, otherwise a simulated plate of 96 wells. Its images are uploaded as a ZIP
archive and its plate map as a file, as somebody does who has no access to the server. `make bench-newcomer` writes the
table of docs/pages.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from gandl_shared.testing import free_port
from playwright.sync_api import Page, sync_playwright

from benchmarks.tables import row, write_between
from checks.browser import find_chromium

PATIENCE = 900_000
"""Milliseconds: a plate takes a minute on two quiet cores, and much longer on busy ones."""
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class OwnPlate:
    """What a newcomer has: an archive of images, a plate map, the model that fits, and a compound of the plate."""

    archive: Path
    plate_map: Path
    model: str
    compound: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the way: what is done, how often something is clicked or typed, and how many seconds it takes."""

    title: str
    clicks: int
    seconds: float


@dataclass
class Way:
    """The steps so far. `step` ends one: it has lasted since the end of the step before it."""

    steps: list[Step] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def step(self, title: str, clicks: int) -> None:
        """End a step."""
        now = time.monotonic()
        self.steps.append(Step(title=title, clicks=clicks, seconds=now - self.since))
        self.since = now


def walk(page: Page, url: str, plate: OwnPlate, way: Way) -> None:
    """Go the whole way from the first page to a curve. The page shows the compound at the end."""
    page.set_default_timeout(PATIENCE)
    page.goto(f"{url}/ui/")
    page.get_by_role("link", name="New screen").first.click()
    page.get_by_text("Upload images as a ZIP archive").wait_for()
    way.step("open the pages, and choose “New screen”", 1)
    page.get_by_text("Upload images as a ZIP archive").click()
    page.get_by_label("Archive of at most").set_input_files(plate.archive)
    page.get_by_role("button", name="Upload and unpack").click()
    page.get_by_role("heading", name="2 · Plate map").wait_for()
    way.step("upload the images as a ZIP archive", 3)
    page.get_by_text("Upload a plate map").click()
    page.get_by_label("Plate map", exact=True).set_input_files(plate.plate_map)
    page.get_by_role("button", name="Upload", exact=True).click()
    page.get_by_role("heading", name="4 · Model").wait_for()
    way.step("upload the plate map, and see what both hold", 3)
    choose = page.get_by_role("link", name=f"Choose {plate.model}")
    clicks = choose.count()
    if clicks:
        choose.click()
    page.get_by_role("heading", name="5 · Start").wait_for()
    way.step("choose the model that fits", clicks)
    page.get_by_label("Name of the screen").fill("my first plate")
    page.get_by_role("button", name="Start the screen").click()
    page.get_by_role("heading", name="my first plate").wait_for()
    way.step("name the screen, and start it", 2)
    page.get_by_role("heading", name="Dose-response").wait_for()
    way.step("watch until the report comes by itself", 0)
    page.get_by_role("link", name=plate.compound).first.click()
    page.get_by_role("heading", name=plate.compound, exact=True).wait_for()
    page.locator("a.point").first.wait_for(state="attached")
    way.step("choose a compound, and see its curve", 1)


def own_plate(folder: Path, bbbc013: Path | None) -> OwnPlate:
    """Return the plate of the newcomer; `bbbc013` is None where its images are not there."""
    if bbbc013 is not None:
        archive = zip_of(bbbc013 / "images", folder / "my-plate.zip")
        return OwnPlate(
            archive=archive, plate_map=bbbc013 / "platemap.csv", model="gandl-bbbc013-64", compound="Wortmannin"
        )
    size = ["--preset", "screen-24", "--wells", "96", "--sites", "1", "--size", "128", "--replicates", "1"]
    subprocess.run([_gandl(), "simulate", str(folder / "own"), *size, "--cell-line", "HRCE-like"], check=True)
    archive = zip_of(folder / "own/Images", folder / "my-plate.zip")
    return OwnPlate(
        archive=archive, plate_map=folder / "own/platemap.csv", model="gandl-sim5-64", compound="Antivirin A"
    )


def zip_of(folder: Path, archive: Path) -> Path:
    """Write all files of a folder into an archive."""
    with ZipFile(archive, "w", ZIP_STORED) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            file.write(path, path.relative_to(folder))
    return archive


def table(steps: list[Step]) -> str:
    """Return the steps as Markdown."""
    lines = [row("step", "clicks and fields", "seconds"), row("---", "---", "---")]
    lines += [row(step.title, step.clicks, f"{step.seconds:.1f}") for step in steps]
    lines.append(
        row(
            "**all**",
            f"**{sum(step.clicks for step in steps)}**",
            f"**{sum(step.seconds for step in steps):.0f}**",
        )
    )
    return "\n".join(lines)


@contextmanager
def _running(home: Path, images: Path) -> Iterator[str]:
    port = free_port()
    command = [_gandl(), "up", "--home", str(home), "--images", str(images), "--models", str(REPOSITORY / "models")]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if str(port) not in process.stdout.readline():
            raise SystemExit("gandl up did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _gandl() -> str:
    return str(Path(sys.executable).with_name("gandl"))


def main() -> None:
    """Walk once, and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bbbc013", type=Path)
    parser.add_argument("--page", type=Path, required=True)
    arguments = parser.parse_args()
    real = arguments.bbbc013 if arguments.bbbc013 and (arguments.bbbc013 / "images").is_dir() else None
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        plate = own_plate(folder, real)
        (folder / "images").mkdir()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        way = Way()
        with _running(folder / "home", folder / "images") as url:
            way.step("start `make up` in an empty folder", 0)
            walk(browser.new_page(viewport={"width": 1280, "height": 900}), url, plate, way)
        browser.close()
    images = "BBBC013: 96 wells with two channels" if real else "a simulated plate of 96 wells with five channels"
    load = os.getloadavg()[0]
    note = f"The plate is {images}. The machine had {os.cpu_count()} cores and a load of {load:.0f} at the end."
    print(table(way.steps), note, sep="\n\n")
    write_between(arguments.page, "newcomer", f"{table(way.steps)}\n\n{note}")


if __name__ == "__main__":
    main()
