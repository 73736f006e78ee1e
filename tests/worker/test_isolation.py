"""Sites in a process of their own: one that kills its process is named, and the others are loaded."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.imaging import IntensityLimits, Preprocessing
from gandl_shared.plates import Site
from gandl_shared.testing import PATIENCE
from gandl_worker import isolation
from gandl_worker.isolation import IsolatedLoader
from gandl_worker.sites import SiteResult, SiteTiles, Unreadable, load_inside

HOW = Preprocessing(limits=IntensityLimits(low=(0,), high=(1000,)), size=16, downscale=1)


def load_or_die(site: Site, preprocessing: Preprocessing, model_id: str, stored: str | None) -> SiteResult:
    """Load a site; a name tells the process to die, to hang or to lack memory."""
    if site.names[0] == "deadly.tif":
        os._exit(1)
    if site.names[0] == "endless.tif":
        time.sleep(3600)
    if site.names[0] == "huge.tif":
        raise MemoryError
    return load_inside(site, preprocessing, model_id, stored)


def site(root: Path, name: str) -> Site:
    return Site(plate="P1", well="A01", site="1", root=root, names=(name,))


def test_a_site_that_kills_hangs_or_fills_its_process_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "load_inside", load_or_die)
    tifffile.imwrite(tmp_path / "good.tif", np.arange(1024, dtype=np.uint16).reshape(32, 32))
    with IsolatedLoader(max_seconds=PATIENCE) as loader:

        def load(name: str) -> SiteResult:
            return loader.load(site(tmp_path, name), HOW, "model", None)

        first = load("good.tif")
        # The process runs already, so that the limit does not have to hold its start.
        loader.max_seconds = 1
        endless = load("endless.tif")
        loader.max_seconds = PATIENCE
        deadly, huge, last = (load(name) for name in ("deadly.tif", "huge.tif", "good.tif"))
    assert isinstance(first, SiteTiles)
    assert isinstance(last, SiteTiles)
    assert first.key == last.key
    assert isinstance(deadly, Unreadable)
    assert deadly.error.startswith("deadly.tif cannot be decoded: the process that read the site had not enough memory")
    assert isinstance(huge, Unreadable)
    assert "not enough memory" in huge.error
    assert endless == Unreadable("endless.tif: decoding did not end within 1 s")
