"""Measure the embedding engine and its service on a CUDA GPU: the same vectors as on the CPU, and what HTTP costs.

    python -m benchmarks.gpu.embedding gandl-bbbc013-contrast-64 gandl-nuclei-64 gandl-bbbc013-64

The service and the tool that loads it are processes of their own. Bodies hold 64 tiles of noise each, as `.npy`.
`--device cpu` tries the commands where there is no GPU.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from gandl_embedding.engine import CPU, CUDA, Engine
from gandl_shared.clients.wire import NPY, from_npy, to_npy
from numpy.typing import NDArray

from benchmarks.serving.__main__ import serving
from benchmarks.serving.load import loaded, tool
from benchmarks.tables import row

MODELS = Path(__file__).resolve().parents[2] / "models"
PROVIDERS = {"cpu": CPU, "cuda": CUDA}
TILES, CONNECTIONS, WARM_SECONDS = 64, 16, 2
MAX_DIFFERENCE = 1e-4
"""‖GPU − CPU‖ / ‖CPU‖ of a vector, at most. Both compute in float32 and add in orders of their own."""
REPEATS = 5

Tiles = NDArray[np.uint8]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Tiles per second of the engine in full runs and through the service, with the service's milliseconds."""

    batch: int
    engine: float
    service: float
    one_client: float
    median: float
    slow: float


def noise(engine: Engine, count: int) -> Tiles:
    """Return tiles [N, C, S, S] of noise around a level of their own, dark and bright, flat and rough."""
    rng = np.random.default_rng(0)
    shape = (count, len(engine.card.channels), engine.card.size, engine.card.size)
    level, spread = rng.uniform(0, 200, (count, 1, 1, 1)), rng.uniform(0, 60, (count, 1, 1, 1))
    return np.clip(level + spread * rng.standard_normal(shape), 0, 255).astype(np.uint8)


def difference(ours: Vectors, reference: Vectors) -> float:
    """Return the largest ‖ours − reference‖ / ‖reference‖ of a vector."""
    return float((np.linalg.norm(ours - reference, axis=1) / np.linalg.norm(reference, axis=1)).max())


def tiles_per_second(engine: Engine, tiles: Tiles) -> float:
    """Return the best rate of an engine that embeds all `tiles` in calls of its own batch."""
    engine.embed(tiles)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        engine.embed(tiles)
        seconds.append(time.perf_counter() - start)
    return len(tiles) / min(seconds)


def speed(model: Path, engine: Engine, reference: Vectors, seconds: int, instances: int) -> Speed:
    """Measure the engine in this process, and then instances of the service on one port and device; check that the
    service gives the vectors of the CPU."""
    batch = engine.measure_batch() or engine.batch
    rate = tiles_per_second(engine, noise(engine, 4 * max(batch, TILES)))
    tiles = noise(engine, TILES)
    with tempfile.TemporaryDirectory() as folder, serving("real", model, instances) as (port, _):
        body = Path(folder, "body")
        body.write_bytes(to_npy(tiles))
        headers = {"Content-Type": NPY, "Accept": NPY}
        answer = httpx.post(f"http://127.0.0.1:{port}/embed", content=body.read_bytes(), headers=headers, timeout=120)
        apart = difference(from_npy(answer.raise_for_status().content), reference)
        if not apart <= MAX_DIFFERENCE:
            raise RuntimeError(f"the vectors of the service differ from those of the CPU by {apart:.1e}")
        loaded(port, CONNECTIONS, WARM_SECONDS, body, NPY)
        many, one = (loaded(port, connections, seconds, body, NPY) for connections in (CONNECTIONS, 1))
    return Speed(
        batch=batch,
        engine=rate,
        service=TILES * many["rate"],
        one_client=TILES * one["rate"],
        median=many["median"],
        slow=many["slow"],
    )


def measured(name: str, device: str, seconds: int, instances: int) -> tuple[str, float]:
    """Return the row of a model and its difference from the CPU."""
    # A folder of its own, so that the service loads no other model.
    with tempfile.TemporaryDirectory() as folder:
        model = Path(shutil.copy(MODELS / f"{name}.onnx", folder))
        engine = Engine.load(model, providers=[PROVIDERS[device]])
        reference = Engine.load(model).embed(noise(engine, TILES))
        apart = difference(engine.embed(noise(engine, TILES)), reference)
        each = speed(model, engine, reference, seconds, instances)
    cells = (
        f"`{name}`", f"{apart:.1e}", each.batch, f"{each.engine:.0f}", f"{each.service:.0f}",
        f"{each.service / each.engine:.2f}", f"{each.median:.1f}", f"{each.slow:.1f}", f"{each.one_client:.0f}",
    )  # fmt: skip
    return row(*map(str, cells)), apart


def main() -> None:
    """Print a row for each model. The command fails where the vectors of a model differ from those of the CPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["gandl-bbbc013-contrast-64"])
    parser.add_argument("--device", choices=PROVIDERS, default="cuda")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of each load")
    parser.add_argument("--instances", type=int, default=1, help="services that share the device")
    options = parser.parse_args()
    # The service is a process of its own, and reads its device from here.
    os.environ["GANDL_EMBEDDING_DEVICE"] = options.device
    headings = (
        "model", "GPU from CPU", "batch", "engine, tiles/s", "service, tiles/s", "of the engine", "ms, median",
        "ms, 95 %", "one client, tiles/s",
    )  # fmt: skip
    print(row(*headings))
    print(row(*["---"] * len(headings)))
    apart = print_rows(options.models, options.device, options.seconds, options.instances)
    services = "the service" if options.instances == 1 else f"{options.instances} instances of the service"
    print(f"\n{CONNECTIONS} connections to {services}, bodies of {TILES} tiles; the load came from {tool()}.")
    if not max(apart) <= MAX_DIFFERENCE:
        sys.exit(f"a vector of the GPU differs from that of the CPU by more than {MAX_DIFFERENCE:g}")


def print_rows(models: Sequence[str], device: str, seconds: int, instances: int) -> list[float]:
    """Print each row when it is there, and return the differences from the CPU."""
    apart = []
    for name in models:
        line, most = measured(name, device, seconds, instances)
        print(line, flush=True)
        apart.append(most)
    return apart


if __name__ == "__main__":
    main()
