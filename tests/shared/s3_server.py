"""A real S3 server process: moto behind a door that writes down every request and can refuse some.

`python -m tests.shared.s3_server PORT FOLDER` serves. FOLDER/requests gets a line for each request. While
FOLDER/refusals holds a number above zero, it is counted down, and the request is refused with the status and the code
that stand behind the number.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from gandl_shared.files import keys
from gandl_shared.testing import free_port, process, wait_until

BUCKET = "gandl"
BUSY, EXPIRED, UNKNOWN_KEY = "503 SlowDown", "400 ExpiredToken", "403 InvalidAccessKeyId"


@dataclass
class S3Server:
    """A server that can be ended and started again, with an empty bucket each time."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        command = [sys.executable, "-m", "tests.shared.s3_server", str(self.port), str(self.folder)]
        with process(command, log=self.folder / "s3.log"):
            wait_until(self._answers, what="the S3 server", seconds=120)
            httpx.put(f"{self.url}/{BUCKET}", timeout=30).raise_for_status()
            yield

    def requests(self) -> list[str]:
        """Return the requests since the last call."""
        file = self.folder / "requests"
        lines = file.read_text().splitlines() if file.exists() else []
        file.write_text("")
        return lines

    def refuse(self, count: int, answer: str = BUSY) -> None:
        """Refuse the next requests with a status and a code of S3."""
        (self.folder / "refusals").write_text(f"{count} {answer}")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/moto-api/data.json", timeout=5).is_success
        except httpx.TransportError:
            return False


@contextmanager
def s3_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """Run a server and let the client of S3 find it by the variables that users set."""
    for module in ("moto.server", "flask_cors"):
        pytest.importorskip(module, reason="the S3 server of moto is not installed; `make test-faults` does")
    pytest.importorskip("s3fs", reason="the client of S3 is not installed; pip install 'gandl-shared[remote]'")
    server = S3Server(folder)
    variables = {
        "ENDPOINT_URL": server.url,
        "ACCESS_KEY_ID": "id",
        "SECRET_ACCESS_KEY": "key",
        "DEFAULT_REGION": "us-east-1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    forget_clients()
    try:
        with server.running():
            yield server
    finally:
        forget_clients()


def forget_clients() -> None:
    """Let the next reader connect again, because the next server has another port."""
    import s3fs  # noqa: PLC0415

    s3fs.S3FileSystem.clear_instance_cache()
    keys._remote.cache_clear()


def main() -> None:
    """Serve until SIGTERM."""
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415
    from werkzeug.serving import run_simple  # noqa: PLC0415

    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    moto = DomainDispatcherApplication(create_backend_app)
    refusals = folder / "refusals"

    def door(environment: dict[str, Any], start: Any) -> Iterable[bytes]:
        with (folder / "requests").open("a") as file:
            file.write(f"{environment['REQUEST_METHOD']} {environment['PATH_INFO']}?{environment['QUERY_STRING']}\n")
        left, status, code = refusals.read_text().split() if refusals.exists() else ("0", "", "")
        if int(left) > 0:
            refusals.write_text(f"{int(left) - 1} {status} {code}")
            start(f"{status} {code}", [("Content-Type", "application/xml")])
            return [f"<Error><Code>{code}</Code><Message>This is refused.</Message></Error>".encode()]
        return moto(environment, start)  # type: ignore[no-any-return]  # moto has no types

    run_simple("127.0.0.1", port, door, threaded=True)


if __name__ == "__main__":
    main()
