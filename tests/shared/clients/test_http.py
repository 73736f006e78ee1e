"""The HTTP of every client: the server's errors come back as themselves, and patience has bounds."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from gandl_shared.clients.http import HttpClient, Retry, error_of
from gandl_shared.errors import (
    BadInput,
    DeadlineExceeded,
    Full,
    GandlError,
    Invalid,
    InvalidPlateMap,
    NotFound,
    Problem,
    Unavailable,
)

Handler = Callable[[httpx.Request], httpx.Response]


def answer(status: int, error: GandlError | None = None, text: str = "", **headers: str) -> httpx.Response:
    content = json.dumps({**error.body(), "request_id": "r"}) if error else text
    return httpx.Response(status, text=content, headers=headers, request=httpx.Request("GET", "http://s/x"))


def client(outcomes: list[httpx.Response | Exception], slept: list[float], attempts: int = 4) -> HttpClient:
    """A client whose server gives these outcomes one after the other; none may be left or lacking."""

    def handle(_: httpx.Request) -> httpx.Response:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return HttpClient(
        base_url="http://s",
        retry=Retry(attempts=attempts, first_wait=0.1, max_wait=5.0),
        transport=httpx.MockTransport(handle),
        sleep=slept.append,
    )


def test_an_error_comes_back_as_its_own_class_with_its_problems() -> None:
    original = InvalidPlateMap("two rows for one well", problems=[Problem("again", file="p.csv", row=4, field="well")])
    received = error_of(answer(422, original))
    assert type(received) is InvalidPlateMap
    assert (received.detail, tuple(received.problems)) == (original.detail, tuple(original.problems))


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (404, "<html>", NotFound),
        (502, "bad gateway", Unavailable),
        (504, "", DeadlineExceeded),
        (422, '{"error": "Unheard", "detail": "x"}', Invalid),
        (404, '{"error": "Invalid", "detail": "the name of another status"}', NotFound),
        (418, "", BadInput),
        (500, "", GandlError),
        (302, "", GandlError),
    ],
)
def test_without_a_body_of_ours_the_status_decides(status: int, text: str, kind: type[GandlError]) -> None:
    assert type(error_of(answer(status, text=text))) is kind


def test_full_is_tried_again_when_the_server_says() -> None:
    slept: list[float] = []
    outcomes: list[httpx.Response | Exception] = [
        answer(429, Full("queue"), **{"Retry-After": "3"}),
        answer(200, text="ok"),
    ]
    with client(outcomes, slept) as http:
        assert http.request("POST", "/embed", repeatable=False).text == "ok"
    assert slept == [3.0]


def test_patience_ends_with_the_last_attempt() -> None:
    slept: list[float] = []
    outcomes: list[httpx.Response | Exception] = [answer(503, Unavailable("draining")) for _ in range(4)]
    with client(outcomes, slept) as http, pytest.raises(Unavailable, match="draining"):
        http.request("GET", "/x")
    assert len(slept) == 3
    assert not outcomes


def test_a_lost_answer_is_asked_for_again_only_where_that_does_no_harm() -> None:
    def lost() -> list[httpx.Response | Exception]:
        return [httpx.ReadError("reset"), httpx.RemoteProtocolError("gone"), answer(200, text="ok")]

    with client(lost(), []) as http:
        assert http.request("GET", "/x").text == "ok"
    with client(lost(), []) as http, pytest.raises(Unavailable, match="reset"):
        http.request("POST", "/screens", repeatable=False)
    refused: list[httpx.Response | Exception] = [httpx.ConnectError("refused"), answer(202)]
    with client(refused, []) as http:
        assert http.request("POST", "/screens", repeatable=False).status_code == 202


@pytest.mark.parametrize("error", [NotFound("no"), Invalid("bad"), DeadlineExceeded("late"), GandlError("broken")])
def test_what_would_fail_again_is_not_repeated(error: GandlError) -> None:
    slept: list[float] = []
    with client([answer(error.status, error)], slept) as http, pytest.raises(type(error)):
        http.request("GET", "/x")
    assert slept == []


def test_no_answer_in_time_is_a_deadline() -> None:
    with client([httpx.ReadTimeout("slow")], []) as http, pytest.raises(DeadlineExceeded, match="60 s"):
        http.request("GET", "/x")


def test_waits_double_within_bounds_and_never_undercut_the_server() -> None:
    retry = Retry(attempts=6, first_wait=0.2, max_wait=20.0)
    assert [retry.wait(n, None, 0.0) for n in (1, 2, 3)] == pytest.approx([0.1, 0.2, 0.4])
    assert retry.wait(1, None, 0.999) < 0.2
    assert retry.wait(30, None, 0.999) <= 20.0
    assert retry.wait(1, 7.0, 0.5) == 7.0
    assert retry.wait(1, 3600.0, 0.5) == 20.0


def test_the_key_goes_with_every_request() -> None:
    keys: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers.get("X-API-Key"))
        return httpx.Response(200)

    with HttpClient(base_url="http://s", api_key="k", transport=httpx.MockTransport(handle)) as http:
        http.request("GET", "/x")
    assert keys == ["k"]
