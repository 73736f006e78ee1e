"""A small collector of OpenTelemetry: it takes spans by OTLP over HTTP and keeps them.

`python -m tests.shared.otlp_receiver PORT` prints each span that arrives, with its service, trace and parent.
"""

from __future__ import annotations

import gzip
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class ReceivedSpan:
    """A span as it arrived: ids in hex, an empty `parent` for the first span of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str


def read_spans(body: bytes) -> Iterator[ReceivedSpan]:
    """Yield the spans of a request of OTLP."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415

    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = {each.key: each.value.string_value for each in resource.resource.attributes}.get("service.name", "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                yield ReceivedSpan(service=service, name=span.name, trace=ids[0], id=ids[1], parent=ids[2])


@contextmanager
def receiving(keep: Callable[[ReceivedSpan], object], port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Take spans until the block ends; yield the address for OTEL_EXPORTER_OTLP_ENDPOINT."""

    class Receiver(BaseHTTPRequestHandler):
        """Answers POST /v1/traces."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for span in read_spans(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body):
                keep(span)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((host, port), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Print spans until the process is ended."""
    with receiving(lambda span: print(span, flush=True), int(sys.argv[1]), "0.0.0.0"):
        threading.Event().wait()


if __name__ == "__main__":
    main()
