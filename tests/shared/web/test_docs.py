"""The page /docs needs nothing from another host."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient
from gandl_shared.web.docs import add_docs


def test_every_address_of_the_page_is_of_this_service() -> None:
    app = FastAPI(docs_url=None, title="gandl")
    add_docs(app)
    client = TestClient(app, root_path="/gandl")
    page = client.get("/gandl/docs")
    assert re.findall(r"(?:https?:)?//[\w.]+", page.text) == []
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 3
    for address in addresses:
        assert client.get(address).status_code == 200
    assert "/gandl/openapi.json" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_the_page_of_the_gateway_neither(repository: Path) -> None:
    (page,) = re.findall(r"return 200 '(<!doctype.*)';", (repository / "nginx.conf").read_text())
    assert "//" not in page
    assert set(re.findall(r'url:"([^"]+)"', page)) == {"/openapi.json", "/embedding/openapi.json"}
