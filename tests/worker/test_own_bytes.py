"""A screen reads its images from their own bytes and from nowhere outside the images folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import Invalid
from gandl_shared.imaging import IntensityLimits, Preprocessing
from gandl_shared.plates import Site
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.testing import FakeEmbedder, FileGuard, binary_only_tiff, ome_tiff
from gandl_worker.screens import run_screen
from gandl_worker.sites import SiteTiles, Unreadable, load, load_inside

from tests.worker.bench import Bench

FIELD = np.random.default_rng(0).integers(0, 200, (2, 32, 32)).astype(np.uint16)
HOW = Preprocessing(limits=IntensityLimits(low=(0.0, 0.0), high=(255.0, 255.0)), size=16, downscale=1)


def test_a_site_is_read_from_its_own_files(tmp_path: Path, named_file: tuple[Path, str], guard: FileGuard) -> None:
    target, name = named_file
    for i, content in enumerate((ome_tiff(FIELD, elsewhere=name), binary_only_tiff(FIELD, name), ome_tiff(FIELD))):
        (tmp_path / f"{i}.ome.tif").write_bytes(content)
    with guard.guarding(target):
        sites = [
            load(Site(plate="P1", well="A01", site="1", root=tmp_path, names=(f"{i}.ome.tif",)), HOW, "model", None)
            for i in range(3)
        ]
    for site in sites:
        assert isinstance(site, SiteTiles)
        np.testing.assert_array_equal(site.tiles, sites[2].tiles)


def test_a_screen_of_such_files_ends_as_any_other(bench: Bench, named_file: tuple[Path, str], guard: FileGuard) -> None:
    """One file a channel, each of which names the other channel's in `named_file`."""
    target, name = named_file
    for path in bench.plate.images.rglob("*.tif"):
        path.write_bytes(ome_tiff(FIELD[:1], elsewhere=name))
    with guard.guarding(target):
        status = run_screen(bench.db, bench.store, FakeEmbedder(), bench.submit())
    assert (status.state, status.progress.done, status.progress.parked) == (ScreenState.ANALYSING, 24, 0)


def test_what_became_a_link_out_or_a_fifo_after_submission_is_parked(bench: Bench, guard: FileGuard) -> None:
    screen_id = bench.submit()
    out = bench.plate.platemap.with_name("secret.tif")
    out.write_bytes(ome_tiff(FIELD[:1]))
    link, descriptor, fifo, circle = (bench.plate.image(well) for well in ("A01", "A02", "A03", "B01"))
    for path in (link, descriptor, fifo, circle):
        path.unlink()
    os.mkfifo(fifo)
    link.symlink_to(out)
    circle.symlink_to(circle)
    with out.open("rb") as file:
        descriptor.symlink_to(f"/proc/self/fd/{file.fileno()}")
        with guard.guarding(out):
            status = run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    errors = {parked.well: parked.error for parked in status.parked}
    assert status.progress.done == 20
    assert "is a link out of the images folder" in errors["A01"]
    assert "is a link out of the images folder" in errors["A02"]
    assert "it is a folder, a FIFO or a device" in errors["A03"]
    assert "cannot be followed" in errors["B01"]


def test_a_fifo_is_refused_when_the_screen_is_checked(bench: Bench) -> None:
    fifo = bench.plate.image("A01")
    fifo.unlink()
    os.mkfifo(fifo)
    with pytest.raises(Invalid, match=r"A01_s1_w1\.tif cannot be opened: it is a folder, a FIFO or a device"):
        bench.submit()


def test_a_site_that_is_gone_says_so(tmp_path: Path) -> None:
    (tmp_path / "b.tif").touch()
    site = load_inside(Site(plate="P1", well="A01", site="1", root=tmp_path, names=("a.tif",)), HOW, "model", None)
    assert site == Unreadable("image a.tif is no longer there")
