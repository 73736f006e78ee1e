"""Every error has one form: those of our tree, of the framework and unexpected ones."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from gandl_shared.errors import NotFound, Outage, Unauthorized, Unavailable
from gandl_shared.schemas.screen import ErrorBody
from gandl_shared.web.errors import error_response


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [("full", 429, "Full"), ("missing", 404, "NotFound"), ("rows", 422, "Invalid"), ("ours", 500, "GandlError")],
)
def test_an_error_of_the_tree_is_its_status_and_body(client: TestClient, kind: str, status: int, error: str) -> None:
    answer = client.get(f"/fail/{kind}", headers={"X-Request-ID": "abc-1"})
    body = ErrorBody.model_validate(answer.json())
    assert (answer.status_code, body.error, body.request_id) == (status, error, "abc-1")
    assert answer.headers["X-Request-ID"] == "abc-1"


def test_full_gives_the_time_of_the_next_attempt_in_whole_seconds(client: TestClient) -> None:
    assert client.get("/fail/full").headers["Retry-After"] == "3"


def test_unavailable_and_unauthorized_have_their_headers() -> None:
    assert error_response(Unavailable("starting"), None).headers["Retry-After"] == "1"
    assert error_response(Unauthorized("no key"), "id").headers["WWW-Authenticate"] == 'ApiKey header="X-API-Key"'


def test_problems_are_listed(client: TestClient) -> None:
    assert client.get("/fail/rows").json()["problems"] == [{"detail": "bad dose", "row": 3}]


def test_a_fault_is_answered_without_its_cause(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/fail/bug")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers["X-Request-ID"] in caplog.text


def test_no_such_route_and_wrong_method(client: TestClient) -> None:
    assert ErrorBody.model_validate(client.get("/nothing").json()).error == "NotFound"
    wrong = client.post("/health/live")
    assert (wrong.status_code, wrong.json()["error"], wrong.headers["allow"]) == (405, "MethodNotAllowed", "GET")


def test_broken_json_is_malformed_and_a_bad_value_invalid(client: TestClient) -> None:
    broken = client.post("/limits", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["error"]) == (400, "Malformed")
    bad = client.post("/limits", json={"low": ["x"], "high": [1]})
    assert (bad.status_code, bad.json()["problems"][0]["field"]) == (422, "body.low.0")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the request has no body; send a JSON object"),
        (b'{"low": [1', "the body is no JSON (Expecting ',' delimiter); send one JSON object, whole and in UTF-8"),
        (b"[]", "the body is no JSON object; send one with the header Content-Type"),
        (b'{"low": [0], "high": [1], "hihg": 1}', "body.hihg: there is no such field; correct its name or leave it"),
        (b'{"low": [0]}', "body.high: this field is missing; add it"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_what_to_send(client: TestClient, body: bytes, words: str) -> None:
    answer = client.post("/limits", content=body, headers={"Content-Type": "application/json"})
    assert words in answer.json()["detail"]


def test_the_detail_names_the_first_problems_and_the_list_has_all(client: TestClient) -> None:
    answer = client.post("/limits", json={"low": ["a", "b", "c", "d"], "high": []}).json()
    assert len(answer["problems"]) == 4
    assert "body.low.2" in answer["detail"]
    assert "body.low.3" not in answer["detail"]


def test_what_is_away_is_named_without_the_folders_of_the_server() -> None:
    for error in (
        Outage("the store /data/own/vectors is away"),
        Unavailable("not ready: the disk of /data/own is full"),
    ):
        answer = error_response(error, None)
        assert b"/data" not in answer.body
    # What a client has named itself is said as it was named.
    assert b"'/images/p1'" in error_response(NotFound("folder '/images/p1' is not there"), None).body
