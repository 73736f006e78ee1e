"""The notebook is valid, and its cell reads the tables from the service that wrote it."""

from __future__ import annotations

import io
import json
import urllib.request
from typing import Any

import pytest
from gandl_analysis.formats.exports.catalog import export_of
from gandl_analysis.formats.exports.notebook import notebook, notebook_cell

from tests.analysis.formats.exports.hostile import EVERYTHING, hostile_source

SOURCE = hostile_source()


def test_the_notebook_has_the_cell() -> None:
    document = json.loads(notebook(SOURCE, EVERYTHING))
    assert (document["nbformat"], [cell["cell_type"] for cell in document["cells"]]) == (
        4,
        ["markdown", "code", "code"],
    )
    assert document["cells"][1]["source"] == notebook_cell(SOURCE.address, "s-1", 3)


def test_the_cells_run_and_read_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas", reason="a notebook has pandas; gandl itself does not need it")
    monkeypatch.setenv("GANDL_API_KEY", "s3cret")

    def answer(request: urllib.request.Request) -> io.BytesIO:
        path, _, query = request.full_url.removeprefix("http://gandl.example/sub/screens/s-1/exports/").partition("?")
        assert (query, request.get_header("X-api-key")) == ("version=3", "s3cret")
        content = export_of(path).of(SOURCE, EVERYTHING)
        assert isinstance(content, bytes)
        return io.BytesIO(content)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    names: dict[str, Any] = {}
    for cell in json.loads(notebook(SOURCE, EVERYTHING))["cells"][1:]:
        exec(cell["source"], names)
    assert len(names["wells"]) == len(SOURCE.analysis.wells)
    assert len(names["curves"]) == len(SOURCE.analysis.curves)


def test_an_address_cannot_become_code() -> None:
    cell = notebook_cell('http://x"\nimport os', "s-1", 1)
    assert "\nimport os\n" not in cell.replace("import io\nimport os\n", "")
