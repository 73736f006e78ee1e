"""A store of files on this machine: an HTTP server that answers ranges, and can break, change or answer with a page."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
from PIL import Image

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class Store:
    """The files by their path. `cut_after` are bytes after which the answers break, one after the other.

    `requests` lists path and `Range` of each request. With `page`, every answer is an HTML page.
    """

    files: dict[str, bytes]
    honours_ranges: bool = True
    page: bool = False
    cut_after: list[int] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        part = request.headers.get("Range")
        self.requests.append((request.path, part))
        content = self.files.get(request.path)
        if content is None:
            request.send_error(404)
            return
        if self.page:
            content = b"<html>Please log in</html>"
        etag = f'"{hashlib.sha256(content).hexdigest()[:12]}"'
        match = _RANGE.fullmatch(part or "") if self.honours_ranges and not self.page else None
        if match and request.headers.get("If-Range") in (None, etag):
            start, end = int(match[1]), min(int(match[2] or len(content) - 1), len(content) - 1)
            body = content[start : end + 1]
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        else:
            body = content
            request.send_response(200)
        request.send_header("Content-Type", "text/html" if self.page else "application/octet-stream")
        request.send_header("Content-Length", str(len(body)))
        request.send_header("ETag", etag)
        request.end_headers()
        request.wfile.write(body[: self.cut_after.pop(0)] if self.cut_after else body)


@contextmanager
def storing(files: Mapping[str, bytes]) -> Iterator[Store]:
    """Run a store on 127.0.0.1 during a block."""
    store = Store(dict(files))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            store.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Keep the output of the tests free of requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        store.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()


def png(seed: int, edge: int = 8) -> bytes:
    """Return a grey PNG whose pixels differ from those of another seed."""
    content = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (edge, edge), dtype=np.uint8)
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def tiff(seed: int, shape: tuple[int, int] = (8, 10)) -> bytes:
    """Return a grey TIFF of 16 bit."""
    content = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 4096, shape, dtype=np.uint16)
    Image.fromarray(pixels).save(content, "TIFF")
    return content.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files as a ZIP archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()
