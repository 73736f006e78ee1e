"""A program before an application answers some requests, and the application the others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from gandl_shared.files import traces
from gandl_shared.web.app import build_app
from gandl_shared.web.requests.doorway import Doorway
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.shared.web.parts import make_part


def short_way(app: ASGIApp, doorway: Doorway) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path", "") != scope.get("root_path", "") + "/short":
            await app(scope, receive, send)
            return
        doorway.counts.observe("GET", "/short", 200, 0.02)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"short"})

    return answer


def make(root_path: str = "") -> TestClient:
    part = replace(make_part(), direct=short_way)
    app = build_app(
        "t", [part], registry=CollectorRegistry(), version="1", root_path=root_path, allowed_hosts=["testserver"]
    )
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(("root_path", "path"), [("", ""), ("/gandl", ""), ("/gandl", "/gandl")])
def test_both_answer(root_path: str, path: str) -> None:
    client = make(root_path)
    assert client.get(f"{path}/short").text == "short"
    assert client.get(f"{path}/health/live").json()["status"] == "live"
    text = client.get(f"{path}/metrics").text
    assert 'gandl_http_requests_total{method="GET",route="/short",status="200"} 1.0' in text
    assert 'gandl_http_request_seconds_bucket{le="0.025",route="/short"} 1.0' in text


def test_traces_have_both() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces.record_with(provider)
    try:
        client = make()
        client.get("/short")
        client.get("/colours")
    finally:
        traces.record_with(None)
    assert [span.name for span in exporter.get_finished_spans()] == ["GET", "GET /colours"]
