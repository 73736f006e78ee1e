"""Every file of the page of downloads: asked for by click, and opened as its users open it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pandas as pd
import pyarrow.parquet as pq
import pytest
from gandl_analysis.formats.exports.catalog import EXPORTS
from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import Browser, Download, Page
from rdkit import Chem

from tests.e2e.browser.chromium import needs_chromium
from tests.e2e.browser.conftest import HOSTILE, PageLog, ScreenedStack

pytestmark = [*needs_chromium, pytest.mark.slow]

ABSENT = {"retrieval.csv", "potency_ratios.csv", "features.csv"}
"""A screen of images that asked for neither has none of these; the answer says so."""


def is_table(content: bytes) -> None:
    rows = list(csv.reader(io.StringIO(content.decode())))
    assert len(rows) > 0
    # A spreadsheet program would run a longer cell that begins so; the relation of an EC50 is a mere sign.
    assert {cell for row in rows for cell in row if cell.startswith(("=", "@", "\t", "\r"))} <= {"="}


def is_workbook(content: bytes) -> None:
    book = load_workbook(io.BytesIO(content))
    assert {"wells", "curves", "quality", "parameters"} <= {name.lower() for name in book.sheetnames}
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert HOSTILE in {cell.value for cell in cells}


def is_prism(content: bytes) -> None:
    root = ElementTree.fromstring(content)
    assert root.tag.endswith("GraphPadPrismFile")
    assert any(element.tag.endswith("YColumn") for element in root.iter())


def is_parquet(content: bytes) -> None:
    assert pq.read_table(io.BytesIO(content)).num_rows > 0


def is_structures(content: bytes) -> None:
    supplier = Chem.SDMolSupplier()
    supplier.SetData(content.decode())
    # A compound without a valid structure has an empty one, and a field that says why.
    assert {Chem.MolToSmiles(molecule) for molecule in supplier if molecule} == {"CCO", ""}
    assert all(m.HasProp("structure_problem") for m in supplier if m and not m.GetNumAtoms())


def is_picture(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert min(image.size) > 100


def is_drawing(content: bytes) -> None:
    assert ElementTree.fromstring(content).tag.endswith("svg")


def is_document(content: bytes) -> None:
    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF") and b"/Page" in content


def is_json(content: bytes) -> None:
    assert isinstance(json.loads(content), dict)


def is_notebook(content: bytes) -> None:
    notebook = json.loads(content)
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    values: dict[str, object] = {}
    for cell in code:
        exec(cell, values)
    wells = values["wells"]
    assert isinstance(wells, pd.DataFrame)
    assert len(wells) == 768


def is_archive(content: bytes) -> None:
    with ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        left_out = archive.read("left_out.txt").decode()
        for name in names:
            if name in READERS:
                READERS[name](archive.read(name))
            if name.endswith(".pdf"):
                is_document(archive.read(name))
    tables = {export.name for export in EXPORTS if not export.name.endswith((".svg", ".png", ".pdf", ".zip"))}
    assert tables - names == ABSENT
    assert {line.split(":")[0] for line in left_out.splitlines()} == ABSENT
    assert {"figures/curves.pdf", "figures/plates.pdf", "figures/e2_c2_plane.pdf", "axes/C2.npz"} <= names


KINDS: dict[str, Callable[[bytes], None]] = {
    "csv": is_table,
    "xlsx": is_workbook,
    "pzfx": is_prism,
    "parquet": is_parquet,
    "sdf": is_structures,
    "png": is_picture,
    "svg": is_drawing,
    "pdf": is_document,
    "json": is_json,
    "ipynb": is_notebook,
    "zip": is_archive,
}
READERS = {e.name: KINDS[e.name.rpartition(".")[2]] for e in EXPORTS if not e.name.endswith((".zip", ".html"))}


@pytest.fixture
def page(chromium: Browser, screened_stack: ScreenedStack) -> Iterator[Page]:
    """The page of downloads."""
    context = chromium.new_context(accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    log = PageLog(page, screened_stack.url)
    page.goto(screened_stack.address(screened_stack.two_lines, "/downloads"))
    yield page
    assert (log.messages, log.foreign) == ([], [])
    context.close()


def save(page: Page, name: str) -> bytes:
    """Click what saves an export, and return the file."""
    with page.expect_download() as download:
        form = page.locator(f"form[action$='/exports/{name}']")
        (form.locator("button") if form.count() else page.locator(f"a[href*='/exports/{name}']").first).click()
    saved: Download = download.value
    assert saved.suggested_filename.endswith(name)
    return saved.path().read_bytes()


@pytest.mark.parametrize("name", [e.name for e in EXPORTS if e.name not in ABSENT and e.name != "report.html"])
def test_a_file_is_saved_and_opens(page: Page, name: str) -> None:
    KINDS[name.rpartition(".")[2]](save(page, name))


def test_the_report_opens_without_a_network_and_is_printed(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(save(page, "report.html"))
    reader = page.context.new_page()
    page.context.set_offline(True)
    requests: list[str] = []
    reader.on("request", lambda request: requests.append(request.url))
    reader.goto(file.as_uri())
    assert reader.get_by_role("heading", name="Dose-response").is_visible()
    assert [address for address in requests if not address.startswith("data:")] == [file.as_uri()]
    assert reader.locator(".strip img").count() > 0
    is_document(reader.pdf())


def test_the_cell_of_the_page_runs_in_a_notebook(page: Page) -> None:
    values: dict[str, object] = {}
    exec(page.locator("pre").inner_text(), values)
    curves = values["curves"]
    assert isinstance(curves, pd.DataFrame)
    assert HOSTILE in set(curves["compound"])


def test_a_plate_is_a_grid_by_the_chosen_quantity(page: Page) -> None:
    form = page.locator("form[action$='/exports/plates.csv']")
    form.locator("select[name=plate]").select_option(index=1)
    form.locator("select[name=quantity]").select_option("concentration_um")
    rows = list(csv.reader(io.StringIO(save(page, "plates.csv").decode())))
    assert sum(row[:1] == ["P"] for row in rows) == 1


def test_what_the_screen_does_not_have_says_why(page: Page) -> None:
    for name in sorted(ABSENT):
        assert page.locator(f"[href*='/exports/{name}']").count() == 0
        assert len(page.locator("dt", has_text=name).locator("xpath=following-sibling::dd[1]").inner_text()) > 20
