"""Errors, ids, health, metrics and keys, as every service answers them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from fastapi import APIRouter, Depends
from fastapi.testclient import TestClient
from gandl_shared.errors import Full, GandlError, Invalid, NotFound, Problem, Unavailable
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.screen import ErrorBody
from gandl_shared.web.app import Part, build_app, key_required
from prometheus_client import CollectorRegistry

Client = Callable[..., TestClient]


def part(name: str, log: list[str], state: dict[str, str | None], key: str | None = None) -> Part:
    router = APIRouter(dependencies=[Depends(key_required(key))])

    @router.get("/fail/{kind}", operation_id=f"fail-{name}")
    async def fail(kind: str) -> None:
        errors: dict[str, Exception] = {
            "full": Full("queue full", retry_after=2.2),
            "missing": NotFound("no file \udcff.tif"),
            "rows": Invalid("two rows", problems=[Problem("bad dose", row=3)]),
            "bug": ZeroDivisionError("secret inside"),
            "ours": GandlError("broken disk"),
        }
        raise errors[kind]

    @router.post("/limits", operation_id=f"limits-{name}")
    async def limits(limits: IntensityLimits) -> IntensityLimits:
        return limits

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        log.append(f"{name} starts")
        yield
        log.append(f"{name} stops")

    return Part(name, router, lambda: state["why"], lifespan)


@pytest.fixture
def client() -> TestClient:
    app = build_app("t", [part("one", [], {"why": None})], registry=CollectorRegistry(), version="1")
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [("full", 429, "Full"), ("missing", 404, "NotFound"), ("rows", 422, "Invalid"), ("ours", 500, "GandlError")],
)
def test_an_error_of_the_tree_is_its_status_and_body(client: TestClient, kind: str, status: int, error: str) -> None:
    answer = client.get(f"/fail/{kind}", headers={"X-Request-ID": "abc-1"})
    body = ErrorBody.model_validate(answer.json())
    assert (answer.status_code, body.error, body.request_id) == (status, error, "abc-1")
    assert answer.headers["X-Request-ID"] == "abc-1"


def test_full_says_when_to_come_back_in_whole_seconds(client: TestClient) -> None:
    assert client.get("/fail/full").headers["Retry-After"] == "3"


def test_problems_are_listed(client: TestClient) -> None:
    assert client.get("/fail/rows").json()["problems"] == [{"detail": "bad dose", "row": 3}]


def test_a_fault_is_told_without_its_cause(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/fail/bug")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers["X-Request-ID"] in caplog.text


def test_an_id_that_is_no_token_is_replaced(client: TestClient) -> None:
    identity = client.get("/fail/full", headers={"X-Request-ID": "a b;c"}).headers["X-Request-ID"]
    assert len(identity) == 32


def test_no_such_route_and_wrong_method(client: TestClient) -> None:
    assert ErrorBody.model_validate(client.get("/nothing").json()).error == "NotFound"
    wrong = client.post("/health/live")
    assert (wrong.status_code, wrong.json()["error"], wrong.headers["allow"]) == (405, "MethodNotAllowed", "GET")


def test_broken_json_is_malformed_and_a_bad_value_invalid(client: TestClient) -> None:
    broken = client.post("/limits", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["error"]) == (400, "Malformed")
    bad = client.post("/limits", json={"low": ["x"], "high": [1]})
    assert (bad.status_code, bad.json()["problems"][0]["field"]) == (422, "body.low.0")


def test_ready_needs_every_part() -> None:
    log: list[str] = []
    late: dict[str, str | None] = {"why": "still warming up"}
    parts = [part("one", log, {"why": None}), part("two", log, late)]
    with TestClient(build_app("t", parts, registry=CollectorRegistry(), version="1")) as client:
        waiting = client.get("/health/ready")
        assert (waiting.status_code, waiting.json()["detail"]) == (503, "not ready: two: still warming up")
        assert client.get("/health/live").json()["status"] == "live"
        late["why"] = None
        assert client.get("/health/ready").json() == {"status": "ready", "parts": {"one": "ready", "two": "ready"}}
    assert log == ["one starts", "two starts", "two stops", "one stops"]


def test_metrics_count_by_route_template(client: TestClient) -> None:
    client.get("/fail/full")
    client.get("/fail/missing")
    client.get("/elsewhere")
    text = client.get("/metrics").text
    assert 'gandl_http_requests_total{method="GET",route="/fail/{kind}",status="429"} 1.0' in text
    assert 'gandl_http_requests_total{method="any",route="unmatched",status="404"} 1.0' in text


def test_a_key_is_asked_for_where_there_is_one() -> None:
    keyed = part("one", [], {"why": None}, key="s3cret")
    client = TestClient(build_app("t", [keyed], registry=CollectorRegistry(), version="1"))
    assert client.get("/fail/full").status_code == 401
    assert client.get("/fail/full", headers={"X-API-Key": "other"}).status_code == 401
    assert client.get("/fail/full", headers={"X-API-Key": "s3cret"}).status_code == 429
    assert client.get("/health/live").status_code == 200


def test_not_ready_asks_to_try_again(client: TestClient) -> None:
    assert Unavailable("x").status == 503
    app = build_app("t", [part("one", [], {"why": "loading"})], registry=CollectorRegistry(), version="1")
    assert TestClient(app).get("/health/ready").headers["Retry-After"] == "1"
