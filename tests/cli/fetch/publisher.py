"""A publisher of BBBC013 on this machine: a small archive in the published form, and an HTTP server that can fail."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
from gandl.fetch.bbbc013 import PlateImage, bbbc013, plate_images
from gandl.fetch.data_set import DataSet
from numpy.typing import NDArray
from PIL import Image

EDGE = 8
ARCHIVE = "BBBC013_v1_images_bmp.zip"


def pixels(image: PlateImage) -> NDArray[np.uint8]:
    """Return grey values [EDGE, EDGE] that differ between all images."""
    seed = (image.channel, image.row, image.column)
    return np.random.default_rng(seed).integers(0, 256, (EDGE, EDGE), dtype=np.uint8)


def bmp(values: NDArray[np.uint8]) -> bytes:
    """Return grey or RGB values as a BMP file."""
    content = io.BytesIO()
    Image.fromarray(values).save(content, "BMP")
    return content.getvalue()


def published_files() -> dict[str, bytes]:
    """Return the 192 BMP files by the names they have in the published archive."""
    return {f"BBBC013_v1_images_bmp/{image.stem}.BMP": bmp(pixels(image)) for image in plate_images()}


def zipped(files: dict[str, bytes]) -> bytes:
    """Return files as a ZIP archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


@dataclass
class Publisher:
    """An HTTP server for one file.

    `cut_after` lists, for one request after the other, how many bytes of the answer are sent before the connection
    ends. `ranges` lists the `Range` header of each request, None where there was none.
    """

    content: bytes
    etag: str | None = '"v1"'
    honours_ranges: bool = True
    content_type: str = "application/zip"
    status: int = 200
    cut_after: list[int] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    url: str = ""

    def data_set(self, size: int | None = None) -> DataSet:
        """Return BBBC013 as this server publishes it."""
        return bbbc013(self.url, len(self.content) if size is None else size, EDGE)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request, from its range on if the server honours it and the file is the same."""
        requested = request.headers.get("Range")
        self.ranges.append(requested)
        is_same = request.headers.get("If-Range") == self.etag
        start = (
            int(requested.removeprefix("bytes=").rstrip("-")) if requested and self.honours_ranges and is_same else 0
        )
        body = self.content[start:]
        request.send_response(206 if start else self.status)
        request.send_header("Content-Type", self.content_type)
        request.send_header("Content-Length", str(len(body)))
        if self.etag:
            request.send_header("ETag", self.etag)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        request.end_headers()
        request.wfile.write(body[: self.cut_after.pop(0)] if self.cut_after else body)


@contextmanager
def serving(publisher: Publisher) -> Iterator[Publisher]:
    """Run the server of a publisher on 127.0.0.1 during a block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Keep the output of the tests free of requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        publisher.url = f"http://127.0.0.1:{server.server_address[1]}/bbbc/BBBC013/{ARCHIVE}"
        try:
            yield publisher
        finally:
            server.shutdown()
            thread.join()
