"""Keys, signed cookies, roles, and tokens against requests of other sites."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.testclient import TestClient
from gandl_shared.schemas.headers import API_KEY, CSRF
from gandl_shared.web.errors import add_error_handlers
from gandl_shared.web.requests.access import COOKIE, SESSION_SECONDS, Access, AccessRole, require_access
from pydantic import SecretStr

ACCESS = Access.of_keys(SecretStr("edit-key"), SecretStr("read-key"))


def client_of(access: Access, *, pages: bool = False) -> TestClient:
    app, routes = FastAPI(), APIRouter(dependencies=[Depends(require_access(access, pages=pages))])

    @routes.get("/thing")
    @routes.post("/thing")
    def thing(request: Request) -> dict[str, bool]:
        return {"session": request.state.session is not None}

    app.include_router(routes)
    add_error_handlers(app)
    return TestClient(app, raise_server_exceptions=False)


def cookie(access: Access, role: AccessRole) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={access.signed(access.begin(role))}"}


@pytest.mark.parametrize(
    ("headers", "get", "post"),
    [
        ({}, 401, 401),
        ({API_KEY: "edit-key"}, 200, 200),
        ({API_KEY: "read-key"}, 200, 403),
        ({API_KEY: "wrong"}, 401, 401),
        ({API_KEY: ""}, 401, 401),
        (cookie(ACCESS, AccessRole.READER), 200, 403),
        (cookie(ACCESS, AccessRole.EDITOR), 200, 403),
        ({"Cookie": f"{COOKIE}=x.y"}, 401, 401),
        ({**cookie(ACCESS, AccessRole.EDITOR), API_KEY: "wrong"}, 401, 401),
    ],
)
def test_a_key_or_a_cookie_opens_what_its_role_may(headers: dict[str, str], get: int, post: int) -> None:
    client = client_of(ACCESS)
    assert client.get("/thing", headers=headers).status_code == get
    assert client.post("/thing", headers=headers).status_code == post


def test_a_change_with_a_cookie_needs_the_token_of_its_page_whatever_it_sends() -> None:
    client, session = client_of(ACCESS), ACCESS.begin(AccessRole.EDITOR)
    headers = {"Cookie": f"{COOKIE}={ACCESS.signed(session)}"}
    assert client.post("/thing", headers=headers, data={"csrf": session.csrf}).status_code == 403
    assert client.post("/thing", headers={**headers, CSRF: "other"}).status_code == 403
    assert client.post("/thing", headers={**headers, CSRF: session.csrf}).status_code == 200
    other_site = {**headers, CSRF: session.csrf, "Sec-Fetch-Site": "cross-site"}
    assert client.post("/thing", headers=other_site).status_code == 403


def test_a_cookie_that_was_changed_or_has_ended_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = ACCESS.signed(ACCESS.begin(AccessRole.READER))
    payload, _, signature = text.partition(".")
    fields = json.loads(urlsafe_b64decode(payload)) | {"role": "editor"}
    forged = urlsafe_b64encode(json.dumps(fields).encode()).decode()
    assert ACCESS.session_of(text) is not None
    for cookie_text in (f"{forged}.{signature}", payload, f"{payload}.", "", "x" * 5000, f"{payload}.µ"):
        assert ACCESS.session_of(cookie_text) is None
    # A changed key ends all sessions.
    assert Access.of_keys(SecretStr("edit-key"), None).session_of(text) is None
    now = ACCESS.begin(AccessRole.READER).ends_at
    monkeypatch.setattr("time.time", lambda: now + 1)
    assert ACCESS.session_of(text) is None
    assert SESSION_SECONDS <= 24 * 3600


def test_a_service_without_keys_is_open_and_refuses_the_changes_of_other_sites() -> None:
    access = Access.of_keys(None, None)
    client = client_of(access)
    assert client.get("/thing").json() == {"session": False}
    assert client.post("/thing").status_code == 200
    assert client.post("/thing", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client_of(access, pages=True).get("/thing").json() == {"session": True}
    # Two open services do not accept each other's cookies.
    assert Access.of_keys(None, None).session_of(access.signed(access.begin(AccessRole.EDITOR))) is None
