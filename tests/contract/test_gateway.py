"""The configuration of the gateway, run by nginx before two servers in the role of the replicas of every part."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import yaml
from gandl_shared.testing import free_port, wait_until

REPOSITORY = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NEW_TRACE = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-01")

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed; on Debian install nginx-light")


@dataclass
class Gateway:
    """A running nginx, the ports of the replicas behind it, the headers that reached them, and the file of its log."""

    url: str
    ports: tuple[int, int]
    log: Path
    received: list[dict[str, str]] = field(default_factory=list)

    def lines(self, count: int) -> list[dict[str, object]]:
        """Return the lines of the log as soon as there are so many."""
        wait_until(lambda: len(self.log.read_text().splitlines()) >= count, what=f"{count} lines of the log")
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def configuration(folder: Path, port: int, replicas: tuple[int, int]) -> str:
    """Return the configuration with free ports, its files below a folder, and the same replicas of every part."""
    text = (REPOSITORY / "nginx.conf").read_text()
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/tmp/", f"{folder}/")
    servers = " ".join(f"server 127.0.0.1:{replica} max_fails=0;" for replica in replicas)
    text = re.sub(r"http://\$\w+:8000", "http://replicas", text)
    text = text.replace("    server {", f"    upstream replicas {{ {servers} }}\n    server {{", 1)
    # Workers of a master that root started would be another user, who may not write below the folder.
    return ("user root;\n" if os.geteuid() == 0 else "") + text


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    assert NGINX is not None
    port, ports = free_port(), (free_port(), free_port())
    running = Gateway(f"http://127.0.0.1:{port}", ports, tmp_path / "log")
    (tmp_path / "nginx.conf").write_text(configuration(tmp_path, port, ports))
    command = [NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-g", "daemon off;"]
    with running.log.open("w") as log:
        process = subprocess.Popen(command, stdout=log)
    try:
        wait_until(lambda: answers(running.url), what="nginx")
        yield running
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    """Return whether a gateway lives."""
    try:
        return httpx.get(f"{url}/health/gateway").status_code == 204
    except httpx.ConnectError:
        return False


@contextmanager
def replica(gateway: Gateway, number: int, status: int) -> Iterator[None]:
    """Run a replica that answers every request with a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            gateway.received.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            self.send_header("X-Request-ID", "r-1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", gateway.ports[number]), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def part(gateway: Gateway) -> Iterator[None]:
    """One of the two replicas; the other one is dead."""
    with replica(gateway, 0, 201):
        yield


@needs_nginx
@pytest.mark.usefixtures("part")
def test_a_replica_that_is_full_or_warms_up_is_passed_over_where_a_request_may_be_repeated(gateway: Gateway) -> None:
    for status in (429, 503):
        with replica(gateway, 1, status):
            answers_of = {
                path: {httpx.post(f"{gateway.url}{path}", content=b"x").status_code for _ in range(6)}
                for path in ("/embed", "/screens")
            }
        assert answers_of == {"/embed": {201}, "/screens": {201, status}}


@needs_nginx
@pytest.mark.usefixtures("part")
def test_a_trace_goes_on_and_a_request_without_one_begins_its_own(gateway: Gateway) -> None:
    invalid = ("", "nonsense", TRACE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), TRACE[:-3])
    for header in (TRACE, *invalid):
        httpx.post(f"{gateway.url}/embed?key=hidden", content=b"x", headers={"traceparent": header} if header else {})
    parents = [headers["traceparent"] for headers in gateway.received]
    assert parents[0] == TRACE
    begun = [NEW_TRACE.fullmatch(each) for each in parents[1:]]
    assert all(begun) and len({each["trace"] for each in begun if each}) == len(invalid)
    traces = [line["trace_id"] for line in gateway.lines(len(parents))]
    assert traces == [each.split("-")[1] for each in parents]


@needs_nginx
@pytest.mark.usefixtures("part")
def test_each_request_is_a_line_of_json_without_its_query(gateway: Gateway) -> None:
    httpx.post(f'{gateway.url}/screens/a"b?key=hidden', content=b"x", headers={"X-API-Key": "hidden"})
    (line,) = gateway.lines(1)
    assert (line["method"], line["path"], line["part"]) == ("POST", '/screens/a"b', "analysis")
    assert (line["status"], line["request_id"]) == (201, "r-1")
    # The dead replica may have been asked first.
    assert str(line["part_status"]).endswith("201")
    assert "hidden" not in json.dumps(line)


@needs_nginx
def test_a_part_that_is_away_is_unavailable_for_a_moment(gateway: Gateway) -> None:
    answer = httpx.post(f"{gateway.url}/embed", content=b"x")
    assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "Unavailable", "2")
    (line,) = gateway.lines(1)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/embed", 503)
    assert line["trace_id"] == line["request_id"] == answer.headers["x-request-id"]


def test_the_files_for_spans_of_the_gateway_are_those_that_its_configuration_includes() -> None:
    overlay = yaml.safe_load((REPOSITORY / "docker-compose.otel.yml").read_text())
    (mount,) = overlay["services"]["gateway"]["volumes"]
    folder = REPOSITORY / mount.split(":")[0]
    patterns = re.findall(r"include tracing/(.*);", (REPOSITORY / "nginx.conf").read_text())
    assert [[path.name for path in folder.glob(pattern)] for pattern in patterns] == [["module.conf"], ["export.conf"]]


def test_spans_of_the_gateway_use_variables_of_its_configuration_and_leave_health_checks_out() -> None:
    export = (REPOSITORY / "deploy" / "tracing" / "export.conf").read_text()
    maps = set(re.findall(r"map \$\w+ \$(\w+)", (REPOSITORY / "nginx.conf").read_text()))
    assert set(re.findall(r"\$(\w+)", export)) - maps == {"request_method"}
    assert "otel_trace $is_logged;" in export
