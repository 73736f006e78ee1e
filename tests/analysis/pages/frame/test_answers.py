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


def test_any_other_error_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        client_of(ZeroDivisionError()).get("/page")


def test_a_page_cannot_be_framed_or_guessed_and_tells_other_sites_nothing() -> None:
    headers = html_answer("<p>").headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
