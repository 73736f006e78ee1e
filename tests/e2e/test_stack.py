"""`gandl up` as a user runs it: a real broker, worker and server, a real plate; killed, started again, stopped."""

from __future__ import annotations

import csv
import io
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.errors import BadInput
from gandl_shared.schemas.quality import Quality
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from gandl_shared.testing import free_port, wait_until

from tests.e2e.running_stack import MODELS, stack

Run = Callable[..., "subprocess.CompletedProcess[str]"]
MODEL = "gandl-bbbc013-64"
WELLS = {f"{row}{column}" for row in "ABEF" for column in ("01", "02", "04", "06", "07", "08", "10", "12")}


@pytest.fixture(scope="module")
def part_of_bbbc013(bbbc013: Path) -> str:
    """The plate map of 32 wells of the plate, as text."""
    with (bbbc013 / "platemap.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(row for row in rows if row["well"] in WELLS)
    return text.getvalue()


def request(plate_map: str) -> ScreenRequest:
    return ScreenRequest(images="images", plate_map_csv=plate_map, model=MODEL, name="part")


def test_rest_gives_the_numbers_of_gandl_screen(
    tmp_path: Path, bbbc013: Path, part_of_bbbc013: str, gandl: Run
) -> None:
    (tmp_path / "map.csv").write_text(part_of_bbbc013)
    files = ["--platemap", tmp_path / "map.csv", "--model", MODELS / f"{MODEL}.onnx", "--out", tmp_path / "out"]
    direct = gandl("screen", bbbc013 / "images", *files)
    assert direct.returncode == 0, direct.stderr
    home = tmp_path / "home"
    with stack(home, bbbc013, free_port()) as running, AnalysisClient(running.url) as client:
        states = [status.state for status in client.watch(client.submit(request(part_of_bbbc013)).id)]
        assert states[-1] is ScreenState.DONE
        (screen,) = client.screens().items
        over_rest = list(csv.DictReader(io.StringIO(client.wells_csv(screen.id))))
        quality = client.quality(screen.id)
        curves = {c.compound: c for c in client.dose_response("Wortmannin", screen=screen.id).curves}
        # A second start finds the first instead of disturbing it.
        again = gandl("up", "--home", home)
        assert again.returncode == 0
        assert running.url in again.stdout
    in_file = list(csv.DictReader((tmp_path / "out" / "wells.csv").open(newline="")))
    assert len(in_file) == len(over_rest) == 32
    for one, other in zip(in_file, over_rest, strict=True):
        assert one["well"] == other["well"]
        for column in ("on", "off", "efficacy", "off_distance"):
            assert float(one[column]) == pytest.approx(float(other[column]), rel=1e-9, abs=1e-9)
    assert quality.images == Quality.model_validate_json((tmp_path / "out" / "quality.json").read_text()).images
    assert quality.images["BBBC013"].sites == 32
    (row,) = [r for r in csv.DictReader((tmp_path / "out/dose_response.csv").open()) if r["compound"] == "Wortmannin"]
    assert float(row["ec50_um"]) == pytest.approx(curves["Wortmannin"].ec50.value, rel=1e-9)


def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path, bbbc013: Path, part_of_bbbc013: str) -> None:
    home, port = tmp_path / "home", free_port()
    with stack(home, bbbc013, port) as first, AnalysisClient(first.url) as client:
        screen = client.submit(request(part_of_bbbc013)).id
        wait_until(lambda: client.screen(screen).progress.done > 0, what="the first sites")
        assert client.screen(screen).state is ScreenState.EMBEDDING
        os.kill(first.process.pid, signal.SIGKILL)
        wait_until(first.has_ended, what="every process of the killed stack gone")
    with stack(home, bbbc013, port) as second, AnalysisClient(second.url) as client:
        *_, last = client.watch(screen)
        assert (last.state, last.progress.done, last.progress.parked) == (ScreenState.DONE, 32, 0)
        assert len(list(client.wells(screen))) == 32


def test_a_worker_that_dies_is_replaced(
    tmp_path: Path, bbbc013: Path, part_of_bbbc013: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANDL_WORKER_LEASE_SECONDS", "10")
    with stack(tmp_path / "home", bbbc013, free_port()) as running, AnalysisClient(running.url) as client:
        screen = client.submit(request(part_of_bbbc013)).id
        worker = next(p for p in running.children() if "gandl.stack.worker" in psutil.Process(p).cmdline())
        wait_until(lambda: client.screen(screen).progress.done > 0, what="the first sites")
        os.kill(worker, signal.SIGKILL)
        *_, last = client.watch(screen)
        assert (last.state, last.progress.done) == (ScreenState.DONE, 32), last.error
        running.family += running.children()


def test_a_port_in_use_is_named(tmp_path: Path, gandl: Run) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ran = gandl("up", "--home", tmp_path / "home", "--models", MODELS, "--port", port)
    assert ran.returncode == 2
    assert f"port {port} is in use" in ran.stderr


def test_the_same_refusals_as_gandl_screen(tmp_path: Path, bbbc013: Path, part_of_bbbc013: str, gandl: Run) -> None:
    broken = part_of_bbbc013.replace("negative_control", "nothing", 1)
    (tmp_path / "map.csv").write_text(broken)
    files = ["--platemap", tmp_path / "map.csv", "--model", MODELS / f"{MODEL}.onnx", "--out", tmp_path / "out"]
    direct = gandl("screen", bbbc013 / "images", *files)
    assert direct.returncode == 2
    with stack(tmp_path / "home", bbbc013, free_port()) as running, AnalysisClient(running.url) as client:
        with pytest.raises(BadInput, match="unknown role 'nothing'") as refused:
            client.submit(request(broken))
        assert refused.value.status == 422
        assert "unknown role 'nothing'" in direct.stderr
        assert client.screens().total == 0
