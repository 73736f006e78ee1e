"""The pages of the invented screen, with names that are hard on addresses and on HTML."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient
from gandl_analysis.pages.routes import add_pages

from tests.analysis.example.screen import example_analysis
from tests.analysis.pages.example_reader import EVIL, ExampleReader

EVIL_PLATE = "P/1 <b>"


def example_pages() -> TestClient:
    """Return a client of pages whose screen `done` is the whole invented screen; plate HRCE-1 has another name."""
    reader = ExampleReader()
    example = example_analysis([EVIL])
    wells = tuple(
        well.model_copy(update={"plate": EVIL_PLATE} if well.plate == "HRCE-1" else {}) for well in example.wells
    )
    reader.result = example.model_copy(update={"wells": wells})
    app = FastAPI()
    add_pages(app, reader)
    return TestClient(app)
