"""The pages under /ui, behind a reader that needs no store."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gandl_analysis.pages.routes import add_pages
from gandl_shared.schemas.curve import CurveChoice
from markupsafe import escape

from tests.analysis.pages.example_reader import EVIL, ExampleReader


@pytest.fixture
def reader() -> ExampleReader:
    return ExampleReader()


@pytest.fixture
def client(reader: ExampleReader) -> TestClient:
    app = FastAPI()
    add_pages(app, reader)
    return TestClient(app, root_path="/gandl")


def test_the_list_shows_every_screen_and_escapes_its_name(client: TestClient) -> None:
    page = client.get("/ui/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    for name in ("done", "running", "failed", "cancelled"):
        assert f'href="/gandl/ui/screens/{name}"' in page.text
    assert "<script>" not in page.text
    assert 'http-equiv="refresh"' in page.text


def test_without_the_slash_it_leads_to_the_list(client: TestClient) -> None:
    answer = client.get("/ui", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/gandl/ui/")


def test_a_running_screen_follows_its_progress(client: TestClient) -> None:
    page = client.get("/ui/screens/running").text
    assert 'data-status="/gandl/screens/running"' in page
    assert 'value="52"' in page
    assert "Waiting: The folder of the images is away" in page
    assert "waiting: the folder of the images is away" in client.get("/ui/").text
    assert "script-src &#39;self&#39;" in page


@pytest.mark.parametrize(
    ("screen", "reason"),
    [
        ("failed", "Set right what it names, and try again"),
        ("cancelled", "a retry continues from there"),
        ("bare", "no analysis is stored"),
    ],
)
def test_a_stopped_screen_gives_the_reason_and_does_not_poll(client: TestClient, screen: str, reason: str) -> None:
    page = client.get(f"/ui/screens/{screen}").text
    assert reason in page
    assert "data-status" not in page
    assert "<script" not in page


@pytest.mark.parametrize(("screen", "has_share"), [("failed", False), ("cancelled", True)])
def test_a_screen_that_failed_has_no_share_beside_that_word(client: TestClient, screen: str, has_share: bool) -> None:
    page = client.get(f"/ui/screens/{screen}").text
    assert ('data-field="percent"' in page) is has_share
    assert f">{screen}</" in page


def test_a_finished_screen_is_its_report_drawn_once_per_analysis(client: TestClient, reader: ExampleReader) -> None:
    first = client.get("/ui/screens/done")
    assert first.status_code == 200
    assert "Dose-response" in first.text
    assert f"/gandl/ui/screens/done/compounds/{quote(EVIL, safe='')}" in first.text
    assert client.get("/ui/screens/done").text == first.text
    assert reader.reads == 1
    reader.version = 2
    client.get("/ui/screens/done")
    assert reader.reads == 2


def test_a_compound_of_any_name_has_a_page(client: TestClient) -> None:
    page = client.get(f"/ui/screens/done/compounds/{quote(EVIL, safe='')}")
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "Parameters of the" in page.text
    assert f"/gandl/compounds/{quote(EVIL, safe='')}/dose-response?screen=done" in page.text


def test_a_compound_has_its_potency_relative_to_the_reference(client: TestClient, reader: ExampleReader) -> None:
    path = f"/ui/screens/done/compounds/{quote('GS-441524', safe='')}"
    assert "potency relative to" not in client.get(path).text
    parameters = reader.result.provenance.parameters.model_copy(update={"curves": CurveChoice(reference=EVIL)})
    provenance = reader.result.provenance.model_copy(update={"parameters": parameters})
    reader.result = reader.result.model_copy(update={"provenance": provenance})
    text = client.get(path).text
    assert f"potency relative to {escape(EVIL)}" in text
    assert "the curves are not parallel (p = 0.03" in text


@pytest.mark.parametrize("path", ["/ui/screens/nope", "/ui/screens/done/compounds/nope"])
def test_what_is_not_there_is_a_page_with_404(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "Not found" in page.text


@pytest.mark.parametrize("path", ["", "/compounds/x", "/plates", "/plates/P1", "/curves", "/scatter", "/downloads"])
def test_a_misspelt_parameter_is_refused_by_a_page_that_names_the_right_ones(client: TestClient, path: str) -> None:
    page = client.get(f"/ui/screens/done{path}?versio=2")
    assert page.status_code == 422
    assert page.headers["content-type"].startswith("text/html")
    assert "versio)" in page.text
    assert "version" in page.text.partition("this page takes")[2][:200]


def test_pages_are_not_in_the_specification(reader: ExampleReader) -> None:
    app = FastAPI()
    add_pages(app, reader)
    assert app.openapi()["paths"] == {}


def test_a_version_is_shown_and_kept_in_every_address(client: TestClient, reader: ExampleReader) -> None:
    reader.version = 3
    page = client.get("/ui/screens/done?version=2").text
    assert "analysis 2 of 3" in page
    assert '<a href="/gandl/ui/screens/done">show the newest</a>' in page
    assert f"/compounds/{quote(EVIL, safe='')}?version=2" in page
    assert "/gandl/screens/done/wells?version=2" in page
    assert "analysis 2 of 3" in client.get(f"/ui/screens/done/compounds/{quote(EVIL, safe='')}?version=2").text


def test_a_page_refers_only_to_its_server(client: TestClient) -> None:
    for path in ("/ui/", "/ui/screens/done", "/ui/screens/running", "/ui/screens/nope"):
        assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", client.get(path).text), path


def test_html_travels_compressed_to_who_can_read_it(client: TestClient) -> None:
    packed = client.get("/ui/screens/done", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/ui/screens/done", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 3


def test_the_root_leads_to_the_pages(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/gandl/ui/")
