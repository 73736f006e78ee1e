"""What a user is told: parked sites in the state of a screen, files that changed, and requests sent twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from gandl_shared.db import RequestKey
from gandl_shared.errors import Conflict, Invalid
from gandl_shared.jobs import expire_dead_leases, lease, worker_name
from gandl_shared.schemas.screen import Progress, ScreenState, notes_of, summary_of
from gandl_shared.testing import FakeEmbedder, new_screen
from gandl_worker.screens import run_screen

from tests.worker.bench import Bench, bench

__all__ = ["bench"]

Summary = Callable[..., str]


@pytest.mark.parametrize(
    ("state", "counts", "waiting", "error", "expected"),
    [
        ("done", (192, 192, 0), None, None, "done"),
        ("done", (192, 96, 96), None, None, "done, but 96 of 192 sites are parked and have no vectors"),
        ("embedding", (192, 10, 0), None, None, "embedding: 10 of 192 sites are done"),
        ("analysing", (4, 4, 0), "the disk is full", None, "analysing; waiting: the disk is full"),
        ("failed", (4, 0, 4), None, "no site could be embedded", "failed: no site could be embedded"),
    ],
)
def test_the_summary_of_a_screen_hides_nothing(
    state: str, counts: tuple[int, int, int], waiting: str | None, error: str | None, expected: str
) -> None:
    sites, done, parked = counts
    progress = Progress(sites=sites, done=done, parked=parked)
    assert summary_of(ScreenState(state), progress, waiting=waiting, error=error) == expected


def test_a_file_that_was_replaced_after_the_submission_is_told(bench: Bench) -> None:
    screen_id = bench.submit()
    other = bench.plate.image("D03").read_bytes()
    bench.plate.image("A01", channel=2).write_bytes(other + b" ")
    status = run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    (note,) = status.noted
    assert (note.well, note.site) == ("A01", "1")
    assert f"bytes when the screen was submitted and has {len(other) + 1} now" in note.note
    (sentence,) = notes_of(status)
    assert sentence.startswith(
        "the files of 1 sites changed after the screen was submitted; the first, plate P1, well A01"
    )
    assert notes_of(bench.db.screens.status(bench.submit())) == ()


def test_a_request_with_a_key_makes_one_screen(bench: Bench) -> None:
    screens, new = bench.db.screens, new_screen(2)
    request, other = RequestKey(key="k", fingerprint="a" * 64), RequestKey(key="k", fingerprint="b" * 64)
    assert screens.of_request(request) is None
    screen_id = screens.create(new, request=request)
    assert screens.of_request(request) == screen_id
    with pytest.raises(Conflict, match="Idempotency-Key 'k'"):
        screens.create(new, request=request)
    with pytest.raises(Invalid, match=f"belongs to another request, that of screen '{screen_id}'"):
        screens.of_request(other)
    assert len(screens.statuses()) == 1
    screens.delete(screen_id)
    assert screens.of_request(request) is None


def test_the_leases_of_a_dead_process_of_this_machine_are_over_at_once(bench: Bench) -> None:
    bench.submit()
    host, pid, space = worker_name().split(":", 2)
    dead = 2**22 + 1  # larger than every process id
    alive = (f"{host}:{os.getppid()}:{space}", f"elsewhere:{dead}:{space}", f"{host}:{dead}:")
    for name in (f"{host}:{dead}:{space}", *alive):
        assert bench.db.batches.lease(name, 3600) is not None or name.endswith(":")
    assert int(pid) > 0
    assert expire_dead_leases(bench.db) == 1
    again = bench.db.batches.lease("next", 60)
    assert again is not None
    assert (again.attempt, again.losses) == (2, 1)


@pytest.mark.parametrize(("is_container", "dead"), [(False, 1), (True, 2)])
def test_the_leases_of_the_earlier_life_of_a_container_are_over_at_once(
    is_container: bool, dead: int, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.submit()
    host = worker_name().split(":", 1)[0]
    assert worker_name().rpartition("/")[2] == Path("/proc/1/stat").read_text().rpartition(") ")[2].split()[19]
    # A new process has no lease, so one of its own name is its predecessor's, in a container or not.
    for name in (worker_name(), f"{host}:7:boot/4026532000", "elsewhere:7:boot/4026532000"):
        assert bench.db.batches.lease(name, 3600) is not None
    monkeypatch.setattr(lease, "_is_container", lambda name: is_container and name == host)
    assert expire_dead_leases(bench.db) == dead


def test_a_container_is_known_by_its_id_in_its_mounts(tmp_path: Path) -> None:
    mounts, identity = tmp_path / "mountinfo", "abecb40ebadc0de86cee444374c1a70b5610dbde68647c2d3104b9574f219dd0"
    for folder in ("/var/lib/docker/containers", "/var/lib/containers/storage/overlay-containers"):
        mounts.write_text(f"98 81 254:0 {folder}/{identity}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw\n")
        assert lease._is_container(identity[:12], mounts)
        # A container in the network of its host has the name of the host.
        assert not lease._is_container("microscope", mounts)
    assert not lease._is_container(identity[:12], tmp_path / "absent")


def test_sites_of_older_screens_have_no_stamps(bench: Bench) -> None:
    assert replace(new_screen(2)).stamps == {}
