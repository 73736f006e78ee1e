"""A plate through `docker compose up`, with replicas added and a service killed in the middle, beside `gandl screen`.

    make secrets
    python -m benchmarks.services.compose --plate ../shared/data/bbbc013 --page docs/deploy.md

The plate is a folder with the folder `images` and platemap.csv. The images are built, the stack is started empty, and
each screen of the plate has one event in its middle. Wells, curves and vectors are compared with those of
`gandl screen`. At the end the stack and its volumes are removed.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gandl.released_models import released_models
from gandl.screening.run import ScreenJob, run
from gandl_embedding.engine import Engine
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.errors import Unavailable
from gandl_shared.schemas.screen import ScreenRequest
from gandl_shared.store import Profiles, read_profiles

from benchmarks.tables import row, write_between

MODEL = "gandl-bbbc013-64"
PROJECT = "gandl-benchmark"
SERVICES = ("gateway", "embedding", "analysis", "analysis-worker", "worker", "valkey", "postgres")
REPOSITORY = Path(__file__).parents[2]


class Compose:
    """The compose file of this repository as a project of its own, with the plate's folder as images."""

    def __init__(self, command: str, images: Path, port: int) -> None:
        self._command = [*command.split(), "--project-name", PROJECT]
        variables = {"GANDL_IMAGES": str(images), "GANDL_MODELS": str(released_models()), "GANDL_PORT": str(port)}
        self._environment = {**os.environ, **variables}
        self.url = f"http://127.0.0.1:{port}"

    def __call__(self, *arguments: str) -> str:
        """Run a command of compose and return its output."""
        return self._run([*self._command, *arguments])

    def container(self, service: str) -> str:
        """Return the id of the first container of a service."""
        return self("ps", "-q", service).split()[0]

    def kill(self, service: str) -> None:
        """End the first container of a service from outside, as the kernel does where memory is short; needs root."""
        # After `docker kill` the container would count as stopped on purpose and would not start again.
        process = self._run(["docker", "inspect", "--format", "{{.State.Pid}}", self.container(service)])
        os.kill(int(process), signal.SIGKILL)

    def size(self, service: str) -> float:
        """Return the size of a service's image in MB."""
        image = self._run(["docker", "inspect", "--format", "{{.Image}}", self.container(service)]).strip()
        return int(self._run(["docker", "image", "inspect", "--format", "{{.Size}}", image])) / 1e6

    def peaks(self) -> dict[str, float]:
        """Return the most memory that a container of each service has used since its start, in MiB, with cached
        files."""
        return {service: max(map(self._peak, self("ps", "-q", service).split())) for service in SERVICES}

    def _peak(self, container: str) -> float:
        files = "/sys/fs/cgroup/memory.peak", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes"
        return (
            int(self._run(["docker", "exec", container, "sh", "-c", f"cat {files[0]} 2>&- || cat {files[1]}"])) / 2**20
        )

    def limit(self, service: str) -> float:
        """Return the limit of memory of a service's containers in MiB."""
        return (
            int(self._run(["docker", "inspect", "--format", "{{.HostConfig.Memory}}", self.container(service)])) / 2**20
        )

    def healthy(self, services: tuple[str, ...] = SERVICES) -> bool:
        """Return whether every container of these services is healthy."""
        ids = self("ps", "-q", *services).split()
        states = self._run(["docker", "inspect", "--format", "{{.State.Health.Status}}", *ids]).split()
        return len(ids) >= len(services) and set(states) == {"healthy"}

    def wait_until_healthy(self) -> None:
        """Wait for every container. Raises TimeoutError after ten minutes."""
        deadline = time.monotonic() + 600
        while not self.healthy():
            if time.monotonic() > deadline:
                raise TimeoutError(self("ps"))
            time.sleep(0.5)

    def _run(self, command: list[str]) -> str:
        result = subprocess.run(
            command, cwd=REPOSITORY, env=self._environment, capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{result.stdout}\n{result.stderr}")
        return result.stdout


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happens in the middle of a screen."""

    name: str
    happen: Callable[[Compose], object]


EVENTS = (
    Event(name="nothing", happen=lambda _: None),
    Event(
        name="workers scaled to 3 and embedding to 2",
        happen=lambda compose: compose("up", "--detach", "--scale", "worker=3", "--scale", "embedding=2"),
    ),
    Event(name="a worker killed", happen=lambda compose: compose.kill("worker")),
    Event(name="the embedding service killed", happen=lambda compose: compose.kill("embedding")),
    Event(name="the gateway killed", happen=lambda compose: compose.kill("gateway")),
    Event(name="Valkey killed", happen=lambda compose: compose.kill("valkey")),
    Event(name="PostgreSQL killed", happen=lambda compose: compose.kill("postgres")),
    Event(name="the analysis service killed", happen=lambda compose: compose.kill("analysis")),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One screen of the plate: seconds from its submission to its results, and whether they are those expected."""

    event: str
    seconds: float
    sites: int
    parked: int
    largest_difference: float
    same_wells: bool
    same_curves: bool


def screen(compose: Compose, key: str, plate: Path, event: Event, expected: Path) -> Outcome:
    """Screen the plate, let the event happen when a third of its sites are done, and compare."""
    request = ScreenRequest(images="images", plate_map_csv=(plate / "platemap.csv").read_text(), model=MODEL)
    with AnalysisClient(compose.url, api_key=key) as client:
        start, happened = time.monotonic(), False
        status = client.submit(request)
        while not status.state.has_ended:
            if not happened and status.progress.done * 3 >= status.progress.sites:
                happened = True
                event.happen(compose)
            time.sleep(0.2)
            # While a service starts again, the gateway says so.
            with suppress(Unavailable):
                status = client.screen(status.id)
        seconds = time.monotonic() - start
        return Outcome(
            event=event.name,
            seconds=seconds,
            sites=status.progress.sites,
            parked=status.progress.parked,
            largest_difference=difference(client.export(status.id, "embeddings.parquet"), expected),
            same_wells=client.wells_csv(status.id) == (expected / "wells.csv").read_text(),
            same_curves=client.export(status.id, "dose_response.csv") == (expected / "dose_response.csv").read_bytes(),
        )


def difference(content: bytes, expected: Path) -> float:
    """Return the largest difference of two sets of vectors. Raises AssertionError if they are of other tiles."""
    one, other = (
        read_profiles(io.BytesIO(content)),
        read_profiles(io.BytesIO((expected / "embeddings.parquet").read_bytes())),
    )
    assert tiles(one) == tiles(other)
    return float(np.abs(one.vectors - other.vectors).max())


def tiles(profiles: Profiles) -> list[tuple[object, ...]]:
    """Return the identity of each row."""
    columns = (profiles.plates, profiles.wells, profiles.sites, profiles.tiles, profiles.keys)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@contextmanager
def started(compose: Compose, *, build: bool) -> Iterator[float]:
    """Yield the seconds from `up` until all is healthy; all is removed at the end."""
    if build:
        compose("build")
    compose("down", "--volumes")
    start = time.monotonic()
    try:
        compose("up", "--detach")
        compose.wait_until_healthy()
        yield time.monotonic() - start
    finally:
        compose("down", "--volumes", "--timeout", "20")


def report(seconds: float, sizes: dict[str, float], direct: float, outcomes: list[Outcome]) -> str:
    """Return the figures as text and tables in Markdown."""
    of_images = ", ".join(f"{name} {size:.0f} MB" for name, size in sizes.items())
    lines = [
        f"From `up` to healthy: {seconds:.0f} s. Images: {of_images}. `gandl screen` takes {direct:.1f} s.",
        "",
        row("in the middle", "seconds", "sites/s", "parked", "vectors", "wells.csv", "dose_response.csv"),
        "|---|---|---|---|---|---|---|",
    ]
    for each in outcomes:
        vectors = "identical" if each.largest_difference == 0 else f"differ by at most {each.largest_difference:.1e}"
        same = ["identical" if flag else "**differs**" for flag in (each.same_wells, each.same_curves)]
        lines.append(
            row(each.event, f"{each.seconds:.1f}", f"{each.sites / each.seconds:.1f}", each.parked, vectors, *same)
        )
    return "\n".join(lines)


def memory(peaks: dict[str, float], limits: dict[str, float]) -> str:
    """Return the peaks of memory beside their limits, in MiB, as a table in Markdown."""
    rows = [row(service, f"{peak:.0f}", f"{limits[service]:.0f}") for service, peak in peaks.items()]
    return "\n".join([row("container", "peak of memory with cached files, MiB", "limit, MiB"), "|---|---|---|", *rows])


def main() -> None:
    """Run everything, print the report, and write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plate", type=Path, required=True, help="folder with the folder `images` and platemap.csv")
    parser.add_argument("--compose", default="docker compose", help="command of compose, such as docker-compose")
    parser.add_argument("--built", action="store_true", help="take the images as they are")
    parser.add_argument("--port", type=int, default=18080)
    parser.add_argument("--page", type=Path, help="page of docs/ whose table is written again")
    options = parser.parse_args()
    plate = options.plate.resolve()
    compose = Compose(options.compose, plate, options.port)
    key = (REPOSITORY / "secrets" / "api-key").read_text()
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine.load(released_models() / f"{MODEL}.onnx")
        start = time.monotonic()
        run(ScreenJob(images=plate / "images", plate_map=plate / "platemap.csv", out=Path(folder) / "out"), engine)
        direct = time.monotonic() - start
        with started(compose, build=not options.built) as seconds:
            sizes = {name: compose.size(name) for name in ("embedding", "analysis", "worker")}
            outcomes: list[Outcome] = []
            peaks: dict[str, float] = dict.fromkeys(SERVICES, 0.0)
            for event in EVENTS:
                outcomes.append(screen(compose, key, plate, event, Path(folder) / "out"))
                print(outcomes[-1], flush=True)
                compose.wait_until_healthy()
                # A container that was killed begins to count again.
                peaks = {service: max(peaks[service], peak) for service, peak in compose.peaks().items()}
            limits = {service: compose.limit(service) for service in SERVICES}
    text = report(seconds, sizes, direct, outcomes) + "\n\n" + memory(peaks, limits)
    print(text)
    if options.page is not None:
        write_between(options.page, "compose", text)


if __name__ == "__main__":
    main()
