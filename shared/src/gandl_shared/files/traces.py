"""Traces of OpenTelemetry: a span for each request, for each call of a service, and for each batch and analysis.

The interface of OpenTelemetry records nothing by itself. `start_tracing` sends spans to a collector if the variable
OTEL_EXPORTER_OTLP_ENDPOINT names one; this needs the extra `gandl-shared[tracing]`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, TracerProvider
from opentelemetry.util.types import AttributeValue

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

log = logging.getLogger(__name__)


class _Recorder:
    """Where the spans of this process go; None means where a program around gandl sends them, if anywhere."""

    provider: TracerProvider | None = None


def start_tracing(service: str) -> None:
    """Send the spans of this process to the collector of the environment, if there is one. `service` is its name."""
    # The compose file passes an empty variable on where there is no collector.
    if not os.environ.get(ENDPOINT) or _Recorder.provider is not None:
        return
    try:
        sdk = import_module("opentelemetry.sdk.trace")
        export = import_module("opentelemetry.sdk.trace.export")
        exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter()
        resource = import_module("opentelemetry.sdk.resources").Resource
    except ImportError as error:
        log.warning("%s is set, but nothing is traced: %s; pip install 'gandl-shared[tracing]'", ENDPOINT, error)
        return
    name = os.environ.get("OTEL_SERVICE_NAME", service)
    provider = sdk.TracerProvider(resource=resource.create({"service.name": name}))
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    _Recorder.provider = provider


def record_with(provider: TracerProvider | None) -> None:
    """Send the spans of this process to a provider of the caller."""
    _Recorder.provider = provider


def is_tracing() -> bool:
    """Return whether this process sends its spans anywhere by itself."""
    return _Recorder.provider is not None


def is_recorded_by_others() -> bool:
    """Return whether a program around gandl records what happens in this process."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextmanager
def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    headers: Mapping[str, str] | None = None,
    **attributes: AttributeValue,
) -> Iterator[Span]:
    """Record a block as a span, below the one that runs or below that of a request with these `headers`.

    The attributes are shown as `gandl.NAME`.
    An error that leaves the block is recorded with it.
    """
    named: dict[str, AttributeValue] = {f"gandl.{key}": value for key, value in attributes.items()}
    tracer = trace.get_tracer("gandl", tracer_provider=_Recorder.provider)
    context = None if headers is None else propagate.extract(headers)
    with tracer.start_as_current_span(name, context=context, kind=kind, attributes=named) as current:
        yield current


def with_trace(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a request with the one by which the server continues this trace."""
    result = dict(headers)
    propagate.inject(result)
    return result
