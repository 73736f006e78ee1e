"""Send the same body again and again over some connections, from a process of its own.

`wrk`, a compiled program (Debian's package `wrk`), does it where it is installed. Elsewhere this module does it:
`python -m benchmarks.serving.load PORT CONNECTIONS SECONDS BODY_FILE ACCEPT` prints what `load.lua` lets wrk print, the
number of answers, those per second, and the median and 95th percentile of their milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from gandl_shared.clients.wire import NPY

SCRIPT = Path(__file__).with_name("load.lua")


def tool() -> str:
    """Return the name of the program that loads servers on this machine."""
    return "wrk" if shutil.which("wrk") else "a Python program, because wrk is not installed"


def loaded(port: int, connections: int, seconds: int, body: Path, accept: str) -> dict[str, float]:
    """Load a server, and return the numbers of its answers. Raises RuntimeError if one of them was not 200."""
    arguments = [str(port), str(connections), str(seconds), str(body), accept]
    command = [sys.executable, "-m", "benchmarks.serving.load", *arguments]
    if shutil.which("wrk"):
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(SCRIPT)]
        command = ["wrk", *options, f"http://127.0.0.1:{port}"]
    environment = os.environ | {"GANDL_BODY": str(body), "GANDL_ACCEPT": accept}
    lines = subprocess.run(command, capture_output=True, check=True, env=environment, text=True).stdout.splitlines()
    answers: dict[str, float] = json.loads(lines[-1])
    if answers["errors"] or not answers["count"]:
        raise RuntimeError(f"the load had {answers}")
    return answers


async def _send(port: int, request: bytes, end: float, seconds: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    while time.perf_counter() < end:
        start = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        seconds.append(time.perf_counter() - start)
    writer.close()


async def _load(port: int, connections: int, duration: float, request: bytes) -> None:
    seconds: list[float] = []
    start = time.perf_counter()
    await asyncio.gather(*(_send(port, request, start + duration, seconds) for _ in range(connections)))
    elapsed = time.perf_counter() - start
    milliseconds = sorted(1000 * each for each in seconds)
    answers = {
        "count": len(seconds),
        "rate": len(seconds) / elapsed,
        "median": statistics.median(milliseconds),
        "slow": milliseconds[int(0.95 * (len(milliseconds) - 1))],
        "errors": 0,
    }
    print(json.dumps(answers))


def _request(body: bytes, accept: str) -> bytes:
    head = (
        f"POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: {NPY}\r\nAccept: {accept}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    port, connections, duration = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    asyncio.run(_load(port, connections, duration, _request(Path(sys.argv[4]).read_bytes(), sys.argv[5])))
