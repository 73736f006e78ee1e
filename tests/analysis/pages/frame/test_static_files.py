"""The files of the pages are those of the package, under an address that changes with their content."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gandl_analysis.pages.frame.static_files import address_of, build_static_files
from gandl_shared.web.errors import add_error_handlers


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    app.include_router(build_static_files())
    add_error_handlers(app)
    return TestClient(app)


@pytest.mark.parametrize(("name", "kind"), [("gandl.css", "text/css"), ("progress.js", "text/javascript")])
def test_a_file_is_kept_by_the_browser(client: TestClient, name: str, kind: str) -> None:
    answer = client.get(address_of("", name))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "address",
    [
        "/ui/static/0000000000000000/gandl.css",
        "/ui/static/x/../../templates/site.html",
        "/ui/static/x/%2e%2e/templates/site.html",
        "/ui/static/x//etc/passwd",
    ],
)
def test_any_other_address_is_404(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 404
