"""Measure how fast images become vectors: over HTTP, by the engine in this process, and at the peak of the machine.

`python -m benchmarks.serving.engine_and_http [MODEL.onnx] [--threads N]`. All rates come from one run on one machine.
The tasks are interleaved round by round, so that other work on the machine affects all of them; the best round of each
counts.

The peak is the best float32 matrix product of numpy's BLAS on as many threads. A model's work is counted from its graph
(2 × multiply-adds of its convolutions and matrix products).
"""

from __future__ import annotations

import argparse
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import onnx
import uvicorn
from gandl_embedding.app import build
from gandl_embedding.engine import Engine
from gandl_embedding.settings import Settings
from gandl_shared.clients.embedding import EmbeddingClient
from threadpoolctl import threadpool_limits

TILES = 128
CLIENTS = 4
ROUNDS = 5


def main() -> None:
    """Measure and print a Markdown table."""
    arguments = _arguments()
    engine = Engine.load(arguments.model, threads=arguments.threads)
    card = engine.card
    shape = (TILES, len(card.channels), card.size, card.size)
    tiles = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    flops = flops_per_tile(arguments.model)
    with serving(arguments.model, arguments.threads) as url, EmbeddingClient(url, model=card.name) as client:
        tasks: dict[str, Callable[[], float]] = {
            "engine in this process": lambda: rate(lambda: engine.embed(tiles), TILES),
            "service, one client": lambda: rate(lambda: client.embed(tiles), TILES),
            f"service, {CLIENTS} clients of 16 tiles": lambda: many_clients(url, card.name, tiles),
            "matrix peak": lambda: matrix_peak(arguments.threads),
        }
        rates = interleaved(tasks)
    print_table(card.name, flops, rates)


def interleaved(tasks: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Do every task once per round. The first round warms up and does not count."""
    rounds = [{name: task() for name, task in tasks.items()} for _ in range(ROUNDS + 1)]
    return {name: [values[name] for values in rounds[1:]] for name in tasks}


def rate(work: Callable[[], object], items: int) -> float:
    """Return the items per second of one call."""
    start = time.perf_counter()
    work()
    return items / (time.perf_counter() - start)


def many_clients(url: str, model: str, tiles: np.ndarray) -> float:
    """Return the tiles per second of clients that send small requests at the same time, as batching is for."""

    def send(part: np.ndarray) -> None:
        with EmbeddingClient(url, model=model, batch=16) as client:
            client.embed(part)

    def all_at_once() -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(send, np.array_split(tiles, CLIENTS)))

    return rate(all_at_once, len(tiles))


def matrix_peak(threads: int | None, edge: int = 1536) -> float:
    """Return the best FLOP/s of three float32 products of edge × edge matrices."""
    a = np.random.default_rng(0).standard_normal((edge, edge), dtype=np.float32)
    with threadpool_limits(threads):
        return max(rate(lambda: a @ a, 1) for _ in range(3)) * 2 * edge**3


def flops_per_tile(path: Path) -> float:
    """Return 2 × the multiply-adds of one tile. A convolution uses every weight once for each pixel of its output."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.value_info}
    shapes |= {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.output}
    weights = {w.name: list(w.dims) for w in model.graph.initializer}
    total = 0.0
    for node in model.graph.node:
        weight = weights.get(node.input[1]) if node.op_type in ("Conv", "Gemm", "MatMul") else None
        if weight:
            pixels = np.prod(shapes[node.output[0]][2:]) if node.op_type == "Conv" else 1
            total += 2.0 * float(np.prod(weight)) * float(pixels)
    return total


@contextmanager
def serving(model: Path, threads: int | None) -> Iterator[str]:
    """Run the real service in a thread, on a free port of this machine."""
    app = build(Settings(models_dir=model.parent, threads=threads))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while httpx.get(f"{url}/health/ready", timeout=30).status_code != httpx.codes.OK:
                time.sleep(0.05)
            yield url
        finally:
            server.should_exit = True
            thread.join()


def print_table(model: str, flops: float, rates: dict[str, list[float]]) -> None:
    """Print the best rate of each path, relative to the engine and to the peak."""
    best = {name: max(values) for name, values in rates.items()}
    engine, peak = best["engine in this process"], best.pop("matrix peak")
    print(f"{model}: {flops / 1e6:.0f} MFLOP per tile; peak {peak / 1e9:.0f} GFLOP/s float32\n")
    print("| path | tiles/s | of the engine | of the peak |\n|---|---|---|---|")
    for name, value in best.items():
        print(f"| {name} | {value:.0f} | {value / engine:.2f} | {value * flops / peak:.2f} |")


def _arguments() -> argparse.Namespace:
    released = sorted((Path(__file__).parents[2] / "models").glob("*.onnx"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, nargs="?", default=released[0] if released else None)
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    if arguments.model is None:
        parser.error("there is no model in models/; name one")
    return arguments


if __name__ == "__main__":
    main()
