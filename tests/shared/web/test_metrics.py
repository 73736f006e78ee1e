"""Requests are counted and timed by the template of their route."""

from __future__ import annotations

from fastapi.testclient import TestClient


def test_requests_are_counted_by_route_template(client: TestClient) -> None:
    for path in ("/fail/full", "/fail/missing", "/fail/bug", "/elsewhere"):
        client.get(path)
    text = client.get("/metrics").text
    for status in (429, 404, 500):
        assert f'gandl_http_requests_total{{method="GET",route="/fail/{{kind}}",status="{status}"}} 1.0' in text
    assert 'gandl_http_requests_total{method="any",route="unmatched",status="404"} 1.0' in text
    assert 'gandl_http_request_seconds_count{route="/fail/{kind}"} 3.0' in text
