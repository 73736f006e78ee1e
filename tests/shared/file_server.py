"""An HTTP server of files on 127.0.0.1, which lists no folder and, as simple servers do, ignores ranges."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(frozen=True)
class FileServer:
    """Where the server answers, and the paths that were asked for."""

    url: str
    requests: list[str] = field(default_factory=list)


@contextmanager
def file_server(folder: Path) -> Iterator[FileServer]:
    """Serve a folder while the block runs; the test is left out without the client of the extra `remote`."""
    pytest.importorskip("aiohttp", reason="needs the extra gandl-shared[remote]")
    requests: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            super().do_GET()

        def list_directory(self, path: object) -> None:
            self.send_error(403)

        def log_message(self, *arguments: object) -> None:
            """Write nothing to stderr."""

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield FileServer(f"http://127.0.0.1:{server.server_address[1]}", requests)
        server.shutdown()
