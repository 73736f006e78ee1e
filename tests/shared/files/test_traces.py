"""One trace goes from a batch of a worker through the client to the service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from gandl_shared.clients.http import HttpClient, Retry
from gandl_shared.errors import Unavailable
from gandl_shared.files import traces
from gandl_shared.web.app import Part, build_app
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry


@asynccontextmanager
async def no_lifespan() -> AsyncIterator[None]:
    yield


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces.record_with(provider)
    yield exporter
    traces.record_with(None)


def service() -> TestClient:
    routes = APIRouter()

    @routes.post("/embed/{model}")
    def embed(model: str) -> str:
        return model

    part = Part(
        name="embedding", add_routes=lambda app: app.include_router(routes), ready=lambda: None, lifespan=no_lifespan
    )
    return TestClient(
        build_app("test", [part], registry=CollectorRegistry(), version="1", allowed_hosts=["testserver"])
    )


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_batch_its_request_and_the_service_are_one_trace(spans: InMemorySpanExporter) -> None:
    server = service()

    def gateway(request: httpx.Request) -> httpx.Response:
        answer = server.post(str(request.url.path), headers=dict(request.headers) | {"host": "testserver"})
        return httpx.Response(answer.status_code, content=answer.content)

    client = HttpClient(base_url="http://gateway", transport=httpx.MockTransport(gateway))
    with traces.span("batch", batch=3):
        client.request("POST", "/embed/a")
    all_spans = by_name(spans)
    batch, call, answer = (all_spans[name] for name in ("batch", "POST /embed/a", "POST /embed/{model}"))
    assert call.parent is not None and answer.parent is not None
    assert (call.parent.span_id, answer.parent.span_id) == (batch.context.span_id, call.context.span_id)
    assert len({span.context.trace_id for span in (batch, call, answer)}) == 1
    assert (answer.attributes or {})["http.response.status_code"] == 200
    assert (batch.attributes or {})["gandl.batch"] == 3


def test_checks_of_health_and_metrics_leave_no_span(spans: InMemorySpanExporter) -> None:
    server = service()
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert server.get(path).status_code == 200
    server.post("/embed/a")
    assert list(by_name(spans)) == ["POST /embed/{model}"]


def test_an_error_is_seen_in_its_span(spans: InMemorySpanExporter) -> None:
    client = HttpClient(base_url="http://127.0.0.1:9", retry=Retry(attempts=1))
    with pytest.raises(Unavailable), traces.span("batch"):
        client.request("GET", "/models")
    assert all(not span.status.is_ok for span in spans.get_finished_spans())
    assert {event.name for span in spans.get_finished_spans() for event in span.events} == {"exception"}


def test_without_a_collector_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(traces.ENDPOINT, raising=False)
    traces.start_tracing("worker")
    assert not traces.is_tracing()
    assert traces.with_trace({"a": "b"}) == {"a": "b"}


def test_a_collector_without_the_packages_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(traces.ENDPOINT, "http://collector:4318")

    def refuse(name: str) -> object:
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(traces, "import_module", refuse)
    traces.start_tracing("worker")
    assert not traces.is_tracing()
    assert "pip install 'gandl-shared[tracing]'" in caplog.text
