"""Every answer has the id of its request."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient


def test_a_token_of_the_client_is_used(client: TestClient) -> None:
    assert client.get("/health/live", headers={"X-Request-ID": "run-7.a_b"}).headers["X-Request-ID"] == "run-7.a_b"


@pytest.mark.parametrize("text", ["a b;c", "", "x" * 65, "line\tbreak"])
def test_other_text_is_replaced(client: TestClient, text: str) -> None:
    identity = client.get("/fail/full", headers={"X-Request-ID": text}).headers["X-Request-ID"]
    assert len(identity) == 32
    assert identity.isalnum()


def test_two_requests_have_two_ids(client: TestClient) -> None:
    assert len({client.get("/health/live").headers["X-Request-ID"] for _ in range(2)}) == 2
