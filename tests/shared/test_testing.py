"""The fakes do what the tests that use them rely on."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from gandl_shared.imaging import decode, read_site
from gandl_shared.plates import Role, find_sites
from gandl_shared.testing import (
    FakeEmbedder,
    Layout,
    fake_card,
    new_screen,
    ome_tiff,
    process,
    stop,
    wait_until,
    write_plate,
)


def test_a_vector_does_not_depend_on_the_other_tiles() -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (5, 2, 16, 16)).astype(np.uint8)
    vectors = FakeEmbedder().embed(tiles)
    assert vectors.shape == (5, fake_card().features)
    np.testing.assert_array_equal(FakeEmbedder().embed(tiles[2:3]), vectors[2:3])


def test_the_wells_of_a_plate_get_brighter_from_column_to_column(tmp_path: Path) -> None:
    plate = write_plate(tmp_path, Layout(rows="A", columns=4))
    means = [read_site(site.files).mean() for site in find_sites(plate.images, plate.plate_map)]
    assert means == sorted(means)
    assert [well.role for well in plate.plate_map.wells] == [
        Role.NEGATIVE,
        Role.TREATMENT,
        Role.TREATMENT,
        Role.POSITIVE,
    ]


def test_a_new_screen_has_the_wells_and_sites_that_were_asked_for() -> None:
    screen = new_screen(5, sites=2)
    assert (len(screen.plate_map.wells), len(screen.sites)) == (5, 10)


def test_an_ome_tiff_is_read_as_its_planes() -> None:
    planes = np.arange(2 * 4 * 3, dtype=np.uint16).reshape(2, 4, 3)
    np.testing.assert_array_equal(decode(ome_tiff(planes), "a.ome.tif"), planes)


def test_waiting_ends_with_the_name_of_the_condition() -> None:
    answers = iter([False, False, True])
    wait_until(lambda: next(answers), what="the third answer", every=0)
    with pytest.raises(TimeoutError, match="nothing: not within 0 s"):
        wait_until(lambda: False, seconds=0, what="nothing")


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    code = f"{ignore}; print('ready', flush=True); time.sleep(999)"
    log = tmp_path / "log"
    with process([sys.executable, "-c", code], log=log) as child:
        wait_until(lambda: b"ready" in log.read_bytes(), what="the child")
        stop(child, seconds=0.1)
        assert child.returncode == -signal.SIGKILL
