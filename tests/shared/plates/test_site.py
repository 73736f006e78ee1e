"""A field of view with several planes of a channel."""

from __future__ import annotations

from pathlib import Path

from gandl_shared.plates.site import Site, SiteId


def test_planes_belong_to_their_channel() -> None:
    names = ("p1c1.tif", "p2c1.tif", "p1c2.tif")
    site = Site(plate="P1", well="A01", site="2", root=Path("images"), names=names, planes=(2, 1))
    assert list(site.channels()) == [("p1c1.tif", "p2c1.tif"), ("p1c2.tif",)]
    assert (site.n_files, site.id) == (2, SiteId("P1", "A01", "2"))


def test_without_planes_each_file_is_a_channel() -> None:
    site = Site(plate="P1", well="A01", site="1", root=Path("images"), names=("c1.tif", "c2.tif"))
    assert list(site.channels()) == [("c1.tif",), ("c2.tif",)]
    assert site.files == (Path("images/c1.tif"), Path("images/c2.tif"))
