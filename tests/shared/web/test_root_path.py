"""An application below the path of a proxy."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from gandl_shared.web.root_path import RootPath


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()

    @app.get("/screens")
    def show(request: Request) -> dict[str, str]:
        return {"root": request.scope["root_path"], "path": request.scope["path"], "url": str(request.url_for("show"))}

    app.add_middleware(RootPath, root_path="/gandl")
    return TestClient(app)


@pytest.mark.parametrize("path", ["/screens", "/gandl/screens"], ids=["cut off", "passed on"])
def test_routes_are_the_same_whether_the_proxy_cuts_the_path_off_or_not(client: TestClient, path: str) -> None:
    answer = client.get(path).json()
    assert answer == {"root": "/gandl", "path": "/gandl/screens", "url": "http://testserver/gandl/screens"}


def test_a_path_that_only_begins_alike_is_another_one(client: TestClient) -> None:
    assert client.get("/gandlscreens").status_code == 404
