"""Where keys are set, pages lead to the sign-in, and from there back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from gandl_analysis.app import build
from gandl_analysis.pages.forms.sign_in import own_address
from gandl_analysis.settings import Settings
from pydantic import SecretStr

from tests.analysis.service.stack import FakeModels, SilentQueue

KEYS = {"api_key": SecretStr("edit-key"), "reader_key": SecretStr("read-key")}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'g.db'}", store=str(tmp_path / "store"), image_root=tmp_path, **KEYS
    )
    with TestClient(build(settings, queue=SilentQueue(), models=FakeModels()), follow_redirects=False) as client:
        yield client


def sign_in(client: TestClient, key: str, target: str = "/ui/") -> int:
    return client.post("/ui/sign-in", data={"key": key, "next": target, "author": "Ann"}).status_code


def test_a_page_leads_to_the_sign_in_and_back(client: TestClient) -> None:
    answer = client.get("/ui/screens/x/compounds/a%2Fb?version=2")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/ui/sign-in?next=%2Fui%2Fscreens%2Fx%2Fcompounds%2Fa%252Fb%3Fversion%3D2",
    )
    page = client.get(answer.headers["location"])
    assert (page.status_code, 'type="password"' in page.text) == (200, True)
    style = re.search(r'href="([^"]+gandl.css)"', page.text)
    assert style is not None
    assert client.get(style[1]).status_code == 200
    wrong = client.post("/ui/sign-in", data={"key": "wrong"})
    assert (wrong.status_code, "does not accept this key" in wrong.text) == (401, True)
    right = client.post("/ui/sign-in", data={"key": "edit-key", "next": "/ui/compare?first=x"})
    assert (right.status_code, right.headers["location"]) == (303, "/ui/compare?first=x")
    cookie = right.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/"))
    assert "edit-key" not in cookie
    assert client.get("/ui/").status_code == 200
    assert client.get("/screens").status_code == 200


def test_the_root_leads_to_the_sign_in_too(client: TestClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/sign-in?next=%2F")
    assert client.post("/ui/sign-in", data={"key": "edit-key", "next": "/"}).headers["location"] == "/ui/"


def test_signing_out_needs_the_token_and_ends_the_session(client: TestClient) -> None:
    assert sign_in(client, "read-key") == 303
    assert client.post("/ui/sign-out").status_code == 403
    page = client.get("/ui/").text
    token = re.search(r'action="/ui/sign-out".*?name="csrf" value="([^"]+)"', page, re.DOTALL)
    assert token is not None
    assert client.post("/ui/sign-out", data={"csrf": token[1]}).status_code == 303
    assert client.get("/ui/").status_code == 303


def test_each_page_leads_to_the_way_out(client: TestClient) -> None:
    assert client.get("/ui/sign-out").headers["location"] == "/ui/"
    assert 'href="/ui/sign-out"' not in client.get("/ui/sign-in").text
    assert sign_in(client, "edit-key") == 303
    for path in ("/ui/new", "/ui/compare", "/ui/over-time", "/ui/screens/unknown"):
        assert 'href="/ui/sign-out">Sign out</a>' in client.get(path).text, path
    page = client.get("/ui/sign-out").text
    assert "Signed in as an editor, Ann." in page
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    assert client.post("/ui/sign-out", data={"csrf": token[1]}).status_code == 303
    assert client.get("/ui/new").status_code == 303


def test_a_reader_changes_nothing_by_page_or_program(client: TestClient) -> None:
    assert sign_in(client, "read-key") == 303
    for path in ("/ui/screens/x/cancel", "/ui/screens/x/decisions", "/screens/x/cancel"):
        assert client.post(path, data={}).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/ui/",
        "//evil.example/ui/",
        "/ui/\\evil",
        "/other",
        "/ui/../metrics",
        "/ui//evil",
        "",
        "/ui/\n",
    ],
)
def test_the_sign_in_leads_to_these_pages_only(address: str) -> None:
    assert own_address(address, "") == "/ui/"


def test_an_address_below_a_proxy_stays() -> None:
    assert own_address("/lab/ui/screens/x?version=1", "/lab") == "/lab/ui/screens/x?version=1"
    assert own_address("/ui/screens/x", "/lab") == "/lab/ui/"
