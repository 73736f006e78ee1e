"""Requests under other names and from pages of other sites."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gandl_shared.web.requests.hosts import ALLOWED_HOSTS, OwnHosts, hosts_of_environment


def client_of(*hosts: str) -> TestClient:
    app = FastAPI()
    app.add_middleware(OwnHosts, hosts=hosts)

    @app.get("/read")
    @app.post("/change")
    async def answer() -> str:
        return "done"

    return TestClient(app)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("192.168.1.4:9", 200),
        ("embedding:8000", 200),
        ("embedding.gandl.svc.cluster.local", 200),
        ("attacker.example.org", 403),
        ("localhost.attacker.org", 403),
        ("127.0.0.1.nip.io", 403),
        ("", 403),
    ],
)
def test_without_a_setting_only_names_that_nobody_can_register(host: str, status: int) -> None:
    assert client_of().get("/read", headers={"Host": host}).status_code == status


def test_the_names_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOWED_HOSTS, "Gandl.uni.edu, *.lab.org")
    client = client_of(*hosts_of_environment())
    for host, status in (("gandl.uni.edu:443", 200), ("a.lab.org", 200), ("10.0.0.7", 200), ("other", 403)):
        answer = client.get("/read", headers={"Host": host})
        assert answer.status_code == status
    assert answer.json()["error"] == "Forbidden"
    assert ALLOWED_HOSTS in answer.json()["detail"]
    monkeypatch.delenv(ALLOWED_HOSTS)
    assert hosts_of_environment() == ()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "https://gandl.uni.edu"}, 403),
        ({"Origin": "http://testserver:81"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Origin": "http://[x]/"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_another_site_changes_nothing(headers: dict[str, str], status: int) -> None:
    client = client_of()
    assert client.post("/change", headers=headers).status_code == status
    assert client.get("/read", headers=headers).status_code == 200


@pytest.mark.parametrize("name", ["Host", "Origin", "X-API-Key"])
def test_a_header_that_decides_comes_once(name: str) -> None:
    answer = client_of().post("/change", headers=[("Host", "testserver"), (name, "testserver"), (name, "other.org")])
    assert (answer.status_code, answer.json()["error"]) == (400, "Malformed")
    assert name.lower() in answer.json()["detail"]
    assert client_of().post("/change", headers=[("Accept", "a/b"), ("Accept", "c/d")]).status_code == 200


def test_a_proxy_may_show_the_service_under_an_allowed_name() -> None:
    client = client_of("gandl.uni.edu", "testserver")
    assert client.post("/change", headers={"Origin": "https://gandl.uni.edu"}).status_code == 200
    assert client.post("/change", headers={"Origin": "https://other.org"}).status_code == 403
