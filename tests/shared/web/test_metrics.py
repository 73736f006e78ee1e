"""Requests are counted and timed by the template of their route."""

from __future__ import annotations

from fastapi.testclient import TestClient
from gandl_shared.web.metrics import Durations
from prometheus_client import CollectorRegistry, Histogram, generate_latest


def test_requests_are_counted_by_route_template(client: TestClient) -> None:
    for path in ("/fail/full", "/fail/missing", "/fail/bug", "/elsewhere"):
        client.get(path)
    text = client.get("/metrics").text
    for status in (429, 404, 500):
        assert f'gandl_http_requests_total{{method="GET",route="/fail/{{kind}}",status="{status}"}} 1.0' in text
    assert 'gandl_http_requests_total{method="any",route="unmatched",status="404"} 1.0' in text
    assert 'gandl_http_request_seconds_count{route="/fail/{kind}"} 3.0' in text


def test_durations_are_counted_as_the_library_does() -> None:
    registry, other = CollectorRegistry(), CollectorRegistry()
    own, library = Durations("a_seconds", "A", ["x"], registry), Histogram("a_seconds", "A", ["x"], registry=other)
    for seconds in (0.0, 0.005, 0.0051, 1.0, 99.0):
        own.labels("1")(seconds)
        library.labels("1").observe(seconds)
    lines = [line for line in generate_latest(other).decode().splitlines() if "_created" not in line]
    assert generate_latest(registry).decode().splitlines() == lines
