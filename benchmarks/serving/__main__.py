"""Measure what `POST /embed` costs around its engine; `make bench-embedding` writes docs/embedding-speed.md.

Servers and the tool that loads them are processes of their own, all of one run on one machine. They are loaded by
turns, round after round, and a row has the medians of the rounds: a machine may be half as fast a minute later, and
what is compared should meet it alike. Processor time is that of the server.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
from gandl_embedding.engine import Engine
from gandl_shared.clients.wire import NPY, to_npy
from gandl_shared.testing import free_port, process, wait_until
from gandl_shared.web.negotiation import JSON

from benchmarks.serving.load import loaded, tool
from benchmarks.serving.servers import PACES
from benchmarks.tables import row, write_between

MODEL = Path(__file__).resolve().parents[2] / "models" / "gandl-bbbc013-64.onnx"
WARM_SECONDS = 1
START_SECONDS = 300
UNCOUNTED = ("bare", "card")
"""Servers whose answers are counted by the load: one counts nothing, and instances on one port cannot all be asked."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Instances of a server of `servers` on one port, and what they are sent: requests of so many tiles over so many
    connections."""

    kind: str
    label: str
    tiles: int
    connections: int
    accept: str = NPY
    instances: int = 1


LOADS = (
    Load(kind="bare", label="bare application, no engine", tiles=8, connections=16),
    Load(kind="free", label="service, engine that costs nothing", tiles=8, connections=16),
    Load(kind="bare", label="bare application, no engine", tiles=64, connections=16),
    Load(kind="free", label="service, engine that costs nothing", tiles=64, connections=16),
    Load(kind="free", label="service, engine that costs nothing, JSON", tiles=8, connections=16, accept=JSON),
    Load(kind="paced", label="service, engine paced like a GPU", tiles=64, connections=16),
    Load(kind="card", label="service, engine paced like a fast GPU", tiles=64, connections=16),
    Load(kind="card", label="two services on that GPU", tiles=64, connections=16, instances=2),
    Load(kind="card", label="service, engine paced like a fast GPU", tiles=8, connections=32),
    Load(kind="card", label="two services on that GPU", tiles=8, connections=32, instances=2),
    Load(kind="real", label="service, engine on one core", tiles=8, connections=16),
    Load(kind="real", label="service, engine on one core, one client", tiles=16, connections=1),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Answers per second, the median and 95th percentile of their milliseconds, and processor milliseconds of each.

    `engine` is what the engine alone took for a request at that moment, for a service with the real engine.
    """

    rate: float
    median: float
    slow: float
    processor: float
    engine: float | None = None


class Server(NamedTuple):
    """A server that is running: its port, and the ids of its processes."""

    port: int
    pids: tuple[int, ...]


Round = dict[Load, Outcome]


def rounds(seconds: int, count: int) -> list[Round]:
    """Return what every load came to in each round, with all servers started before."""
    with ExitStack() as running, tempfile.TemporaryDirectory() as folder:
        kinds = dict.fromkeys((load.kind, load.instances) for load in LOADS)
        servers = {each: Server(*running.enter_context(serving(each[0], instances=each[1]))) for each in kinds}
        for load in LOADS:
            measured(load, servers[load.kind, load.instances], WARM_SECONDS, Path(folder))
        return [
            {load: measured(load, servers[load.kind, load.instances], seconds, Path(folder)) for load in LOADS}
            for _ in range(count)
        ]


def measured(load: Load, server: Server, seconds: int, folder: Path) -> Outcome:
    """Load a server for some seconds. The body that is sent lies in the folder meanwhile."""
    body = folder / "body"
    body.write_bytes(_body(load))
    before, tiles = processor_seconds(server.pids), _embedded(server.port, load)
    answers = loaded(server.port, load.connections, seconds, body, load.accept)
    _wait_until_idle(server.pids)
    used = processor_seconds(server.pids) - before
    # A run that is under way at the end has cost time too, so the service is asked what it has done.
    done = answers["count"] if load.kind in UNCOUNTED else (_embedded(server.port, load) - tiles) / load.tiles
    alone = engine_milliseconds(load.tiles) if load.kind == "real" else None
    return Outcome(
        rate=answers["rate"],
        median=answers["median"],
        slow=answers["slow"],
        processor=1000 * used / done,
        engine=alone,
    )


@contextmanager
def serving(kind: str, model: Path = MODEL, instances: int = 1) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Run instances of a server of a model on one port; give the port and the ids of their processes."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.serving.servers", kind, str(port), str(model)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as children:
        logs = [Path(folder, f"log-{number}") for number in range(instances)]
        pids = tuple(children.enter_context(process(command, log=log)).pid for log in logs)
        # A connection goes to any of the instances, so that several of these find each of them.
        wait_until(lambda: all(_ready(port) for _ in range(8 * instances)), what="the server", seconds=START_SECONDS)
        yield port, pids


def engine_milliseconds(tiles: int) -> float:
    """Return the processor milliseconds of the engine alone for a request of so many tiles."""
    engine = Engine.load(MODEL, threads=1)
    engine.warm_up()
    images = np.zeros((tiles, len(engine.card.channels), engine.card.size, engine.card.size), np.uint8)
    times = []
    for _ in range(5):
        start = time.process_time()
        engine.embed(images)
        times.append(time.process_time() - start)
    return 1000 * min(times)


def processor_seconds(pids: Sequence[int]) -> float:
    """Return the processor seconds of processes together, from the file system of Linux."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def table(measured_rounds: Sequence[Round]) -> str:
    """Return the table as Markdown."""
    lines = [
        row("server", "load", "requests/s", "tiles/s", "ms, median", "ms, 95 %", "processor ms", "compared with"),
        row(*["---"] * 8),
    ]
    for load in LOADS:
        outcomes = [each[load] for each in measured_rounds]
        rate, median, slow, processor = (
            statistics.median(getattr(outcome, name) for outcome in outcomes)
            for name in ("rate", "median", "slow", "processor")
        )
        lines.append(
            row(
                load.label,
                f"{load.connections} × {load.tiles} tiles",
                f"{rate:.0f}",
                f"{rate * load.tiles:.0f}",
                f"{median:.1f}",
                f"{slow:.1f}",
                f"{processor:.2f}",
                _comparison(load, measured_rounds, processor),
            )
        )
    return "\n".join(lines)


def _comparison(load: Load, measured_rounds: Sequence[Round], processor: float) -> str:
    """Return what a load is compared with, and the ratio: the median of the rounds, with the least and the largest."""
    if load.kind in PACES:
        most = PACES[load.kind].rate
        ratio = _ratio([each[load].rate * load.tiles / most for each in measured_rounds])
        return f"{ratio} of the engine, by rate; {processor / 1000 * most / load.tiles:.1f} cores would feed it"
    if load.kind == "real":
        shares = [(each[load].engine or 0) / each[load].processor for each in measured_rounds]
        return f"{_ratio(shares)} of the engine, by processor time"
    bare = next(each for each in LOADS if each.kind == "bare" and each.tiles == load.tiles)
    if load is bare:
        return ""
    return (
        f"{_ratio([r[bare].processor / r[load].processor for r in measured_rounds])} of the bare one, by processor time"
    )


def _ratio(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _body(load: Load) -> bytes:
    return to_npy(np.random.default_rng(0).integers(0, 256, (load.tiles, 2, 64, 64), dtype=np.uint8))


def _embedded(port: int, load: Load) -> float:
    """Return the number of tiles that a service has embedded; a bare application counts none."""
    if load.kind in UNCOUNTED:
        return 0.0
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("gandl_embedding_tiles_total"))


def _wait_until_idle(pids: Sequence[int]) -> None:
    """Wait until processes have finished what a load has left in them."""
    used = -1.0
    while used != (used := processor_seconds(pids)):
        time.sleep(0.3)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def main() -> None:
    """Print the table, and write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="seconds of each load in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    text = table(rounds(options.seconds, options.rounds)) + f"\n\nThe load came from {tool()}."
    print(text)
    if options.page is not None:
        write_between(options.page, "embedding-speed", text)


if __name__ == "__main__":
    main()
