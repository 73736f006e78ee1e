"""Send the same request again and again over some connections, in a process of its own.

`python -m benchmarks.serving.load PORT CONNECTIONS SECONDS REQUEST_FILE` prints the number of answers, those per
second, and the median and 95th percentile of their milliseconds. It reads plain bytes, so that it costs much less than
the service does.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path


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
    print(
        json.dumps(
            {
                "count": len(seconds),
                "rate": len(seconds) / elapsed,
                "median": statistics.median(milliseconds),
                "slow": milliseconds[int(0.95 * (len(milliseconds) - 1))],
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(_load(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]).read_bytes()))
