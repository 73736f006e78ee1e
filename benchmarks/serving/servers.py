"""What is compared: our service with engines that cost nothing, a set time, or what they cost, and a bare application.

`python -m benchmarks.serving.servers KIND PORT` serves one of them until SIGTERM.
"""

from __future__ import annotations

import fcntl
import socket
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import uvicorn
from gandl_embedding.app import build
from gandl_embedding.catalog import Catalog
from gandl_embedding.engine import Engine
from gandl_embedding.engine.sized_sessions import runs_of
from gandl_embedding.settings import Settings
from gandl_shared.clients.wire import to_npy
from numpy.typing import NDArray


class Pace(NamedTuple):
    """How long a GPU works: seconds per run and per tile, and the tiles of its batch."""

    per_run: float
    per_tile: float
    batch: int

    def seconds(self, tiles: int) -> float:
        """Return how long so many tiles take in the runs of a GPU."""
        return sum(self.per_run + self.per_tile * run.size for run in runs_of(tiles, EDGE))

    @property
    def rate(self) -> float:
        """Tiles per second in full runs, the most that the device can do."""
        return self.batch / self.seconds(self.batch)


EDGE = 64
"""Pixels of the edge of a tile."""
PACES = {"paced": Pace(0.0015, 1 / 25_000, 256), "card": Pace(0.00086, 1 / 51_300, 512)}
"""How long an H200 took: an older measurement with another model, and `gandl-bbbc013-64` (docs/embedding-speed.md)."""


class FreeEngine(Engine):
    """An engine whose vectors are zeros and cost nothing."""

    def embed(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return zeros."""
        return np.zeros((len(tiles), self.card.features), np.float32)


class PacedEngine(FreeEngine):
    """An engine that waits as long as a GPU works, and leaves the processor to others meanwhile."""

    pace = PACES["paced"]

    @property
    def batch(self) -> int:
        """The batch of a GPU."""
        return self.pace.batch

    def measure_batch(self) -> int:
        """Return the batch of a GPU."""
        return self.pace.batch

    def first_run(self, count: int) -> int:
        """Return how many of `count` tiles a GPU computes at once."""
        return next(runs_of(count, EDGE)).end

    def embed(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return zeros after the time that a GPU takes."""
        time.sleep(self.pace.seconds(len(tiles)))
        return super().embed(tiles)


class CardEngine(PacedEngine):
    """A faster one, on a card that computes for one process at a time."""

    pace = PACES["card"]

    def embed(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return zeros after the time that a GPU takes once it is free."""
        with Path(__file__).open() as card:
            fcntl.flock(card, fcntl.LOCK_EX)
            time.sleep(self.pace.seconds(len(tiles)))
        return FreeEngine.embed(self, tiles)


async def bare(scope: Any, receive: Any, send: Any) -> None:  # Any: the types of ASGI
    """Read a body and answer as many zeros as the service would: the least that HTTP costs."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    more = scope["method"] == "POST"
    size = 0
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = to_npy(np.zeros((size // 8192, 512), np.float32))
    headers = [(b"content-type", b"application/x-npy"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _service(engine: type[Engine], model: Path) -> Any:  # Any: an ASGI application
    settings = Settings(models_dir=model.parent, default_model=model.stem, threads=1)
    loaded = Catalog.load(settings)
    name = loaded.get(None).card.name
    if engine is not Engine:
        loaded = Catalog({name: engine.load(model, threads=1)}, name)
    Catalog.load = classmethod(lambda _, __: loaded)  # type: ignore[method-assign, assignment]  # the benchmark's own
    return build(settings)


def main() -> None:
    """Serve."""
    kind, port, model = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    engines = {"free": FreeEngine, "paced": PacedEngine, "card": CardEngine, "real": Engine}
    application = bare if kind == "bare" else _service(engines[kind], model)
    with socket.create_server(("127.0.0.1", port), reuse_port=True) as listener:
        config = uvicorn.Config(application, log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
