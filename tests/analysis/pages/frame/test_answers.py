"""Answers as HTML: headers that protect the reader, and errors of our tree as pages."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from gandl_analysis.pages.frame.answers import PageRoute, html_answer
from gandl_shared.errors import Conflict


def client_of(error: Exception) -> TestClient:
    router = APIRouter(route_class=PageRoute)

    @router.get("/page")
    @router.post("/page")
    def page() -> None:
        raise error

    app = FastAPI()
    app.include_router(router)
    return TestClient(app, root_path="/gandl")


def test_an_error_of_our_tree_is_a_page_with_its_status() -> None:
    answer = client_of(Conflict("the screen <b>one</b> is running")).get("/page")
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("text/html")
    assert "The screen &lt;b&gt;one&lt;/b&gt; is running" in answer.text
    assert 'href="/gandl/ui/"' in answer.text


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/gandl/ui/new?folder=a%2Fb&map=%22c", "/gandl/ui/new?folder=a%2Fb&amp;map=%22c"),
        ("http://testserver/other", None),
        ("", None),
    ],
)
def test_a_form_that_was_refused_leads_back_to_its_page(referer: str, back: str | None) -> None:
    answer = client_of(Conflict("the archive is damaged")).post("/page", headers={"referer": referer})
    assert "This was not done" in answer.text
    assert ("Back to the form" in answer.text) == (back is not None)
    assert back is None or f'href="{back}"' in answer.text


def test_any_other_error_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        client_of(ZeroDivisionError()).get("/page")


def test_a_page_cannot_be_framed_or_guessed_and_tells_other_sites_nothing() -> None:
    headers = html_answer("<p>").headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
