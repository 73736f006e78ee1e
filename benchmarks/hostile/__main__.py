"""Send thousands of hostile bodies to `POST /embed` of a service of its own and count the answers: `make test-hostile`.

A run without a fault ends with 0: no 5xx, no body without an answer, none that takes longer than a second.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from gandl_shared.testing import free_port, process, wait_until

from benchmarks.hostile.bodies import Body, crafted_bodies, mutated_bodies
from benchmarks.tables import write_between
from tests.embedding.fixtures.tiny_model import tiny_model

MAX_SECONDS = 1.0
"""The longest time of an answer to a body of a few megabytes."""
PATIENCE_SECONDS = 30.0
SLOWEST = 10


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a body was answered: its status (0 for none) and the seconds."""

    body: Body
    status: int
    seconds: float

    @property
    def is_fault(self) -> bool:
        """True for no answer, a 5xx, or an answer that takes too long."""
        return self.status == 0 or self.status >= 500 or self.seconds > MAX_SECONDS


def answers_of(client: httpx.Client, bodies: Iterable[Body]) -> Iterable[Answer]:
    """Yield the answer to each body."""
    for body in bodies:
        start = time.perf_counter()
        try:
            headers = {"Content-Type": body.media.encode("latin-1")}
            status = client.post("/embed", content=body.content, headers=headers).status_code
        except httpx.HTTPError:
            status = 0
        yield Answer(body=body, status=status, seconds=time.perf_counter() - start)


def table(answers: Sequence[Answer]) -> str:
    """Return the counts by status and the slowest answers as Markdown."""
    counts = Counter(answer.status for answer in answers)
    slowest = sorted(answers, key=lambda answer: -answer.seconds)[:SLOWEST]
    lines = [
        "| status | bodies |",
        "|---|---|",
        *(f"| {status or 'none'} | {counts[status]} |" for status in sorted(counts)),
    ]
    lines += ["", "| slowest | MB | status | s |", "|---|---|---|---|"]
    lines += [f"| {a.body.kind} | {len(a.body.content) / 1e6:.2f} | {a.status} | {a.seconds:.2f} |" for a in slowest]
    return "\n".join(lines)


def run(count: int, seed: int, cases: Path | None) -> list[Answer]:
    """Start a service with a small model, and send it the crafted bodies and `count` mutations."""
    with tempfile.TemporaryDirectory(prefix="gandl-hostile-") as name:
        tiny_model(Path(name, "two.onnx"))
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "--factory", "gandl_embedding.app:build", "--port", str(port)]
        environment = {"GANDL_EMBEDDING_MODELS_DIR": name}
        with (
            process([*command, "--log-level", "warning"], log=Path(name, "log"), environment=environment),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as client,
        ):
            wait_until(lambda: _ready(client), what="the embedding service")
            bodies = [*crafted_bodies(cases), *mutated_bodies(count, seed)]
            return list(answers_of(client, bodies))


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def main() -> int:
    """Print the table; return 1 if an answer is a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="mutations beside the crafted bodies")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, help="the page whose table is written again")
    parser.add_argument("--cases", type=Path, help="a folder of further files")
    options = parser.parse_args()
    answers = run(options.count, options.seed, options.cases)
    text = f"{len(answers)} bodies:\n\n{table(answers)}"
    print(text)
    if options.page is not None:
        write_between(options.page, "hostile", text)
    faults = [answer for answer in answers if answer.is_fault]
    for fault in faults:
        print(f"fault: {fault.body.kind}: {fault.status} after {fault.seconds:.2f} s", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
