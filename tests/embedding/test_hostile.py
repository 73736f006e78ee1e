"""Hostile bodies: the service answers each with a 4xx, or rightly, within a second, and is the same afterwards.

`make test-hostile` sends thousands; this is one of each kind that was ever answered badly, and a sample of the others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from gandl_embedding.settings import Settings

from benchmarks.hostile.bodies import Body, crafted_bodies, mutated_bodies
from tests.embedding.fixtures.service import ready_client

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "hostile"
SAMPLE = 60
SECONDS = 5.0
"""A second, and room for a busy machine of tests."""

REFUSED = (
    "directory circle",
    "tiny pages",
    "four bytes",
    "edge 0",
    "strip without bytes",
    "too few strips",
    "short strip",
    "OME Size",
    "OME PlaneCount",
    "OME other file",
    "OME entities",
    "channel bomb",
    "deflate bomb",
    "short pixels",
    "no pixels",
    "unknown chunks",
    "npy: shape",
    "npy: nested head",
    "form: charset idna",
    "form: charset undefined",
    "case ",
)


@pytest.fixture(scope="module")
def two(models_dir: Path) -> Iterator[TestClient]:
    """A service of two channels with a small limit of pixels."""
    settings = Settings(models_dir=models_dir, default_model="two", threads=1, request_pixels=2**22)
    with ready_client(settings) as client:
        yield client


def assert_answered(client: TestClient, bodies: Sequence[Body], statuses: range) -> None:
    for body in bodies:
        start = time.perf_counter()
        answer = client.post("/embed", content=body.content, headers={"Content-Type": body.media.encode("latin-1")})
        assert answer.status_code in statuses, (body.kind, answer.text[:200])
        assert time.perf_counter() - start < SECONDS, body.kind
    assert client.get("/health/ready").status_code == 200


def test_kinds_that_were_answered_badly_are_refused(two: TestClient) -> None:
    cases = CASES if CASES.is_dir() else None
    bodies = [body for body in crafted_bodies(cases) if any(word in body.kind for word in REFUSED)]
    # The three tiny pages are two channels and one more, and an image of too many channels is refused as well.
    assert len(bodies) > 40
    assert_answered(two, bodies, range(400, 500))


def test_a_sample_of_the_others_is_answered(two: TestClient) -> None:
    bodies = [*islice(crafted_bodies(), 0, None, 7), *mutated_bodies(SAMPLE, seed=1000)]
    assert_answered(two, bodies, range(200, 500))


def test_the_same_seed_gives_the_same_bodies() -> None:
    assert list(mutated_bodies(20, seed=1)) == list(mutated_bodies(20, seed=1))
    assert list(mutated_bodies(20, seed=1)) != list(mutated_bodies(20, seed=2))


def test_invented_methods_share_one_series(two: TestClient) -> None:
    for method in ("BREW", "PROPFIND", "A" * 50):
        assert two.request(method, "/models").status_code == 405
    lines = [line for line in two.get("/metrics").text.splitlines() if line.startswith("gandl_http_requests_total")]
    assert sum('method="any"' in line for line in lines) <= 2
    assert not any("BREW" in line for line in lines)
