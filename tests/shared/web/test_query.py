"""A misspelt query parameter is an error, on routes with parameters and on those without."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient


def test_known_parameters_are_read(client: TestClient) -> None:
    assert client.get("/colours?colour=red&limit=3").json() == {"colour": "red", "limit": 3}
    assert client.get("/colours").json() == {"colour": None, "limit": 1}


def test_an_unknown_name_is_refused_and_the_known_ones_are_listed(client: TestClient) -> None:
    answer = client.get("/colours?color=red&limit=0&color=blue")
    assert (answer.status_code, answer.json()["error"]) == (422, "Invalid")
    problems = {problem["field"]: problem["detail"] for problem in answer.json()["problems"]}
    assert problems["query.color"] == "unknown parameter; this path takes colour, limit"
    assert set(problems) == {"query.color", "query.limit"}


@pytest.mark.parametrize("path", ["/fail/full", "/health/live", "/health/ready", "/metrics"])
def test_a_route_without_parameters_takes_none(client: TestClient, path: str) -> None:
    answer = client.get(f"{path}?limit=1")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "query.limit: unknown parameter; this path takes none"
