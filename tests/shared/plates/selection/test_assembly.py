"""Files of a field of view put together to a site."""

from __future__ import annotations

from pathlib import Path

from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.selection.assembly import assemble, files_by_field
from gandl_shared.plates.site import SiteId

FIELD = SiteId("P1", "A01", "1")


def file(name: str, *, present: bool = True) -> ImageFile:
    return ImageFile(name=name, plates=("P1",), well="A01", site="1", present=present)


def test_planes_tell_how_many_files_each_channel_has(tmp_path: Path) -> None:
    files = {"1": (file("p1c1.tif"), file("p2c1.tif")), "2": (file("c2.tif"),)}
    assembled = assemble(tmp_path, FIELD, files, ("2", "1"))
    assert (assembled.site.names, assembled.site.planes) == (("c2.tif", "p1c1.tif", "p2c1.tif"), (1, 2))
    assert assembled.lack is None


def test_an_absent_plane_counts_as_a_missing_channel(tmp_path: Path) -> None:
    files = {"1": (file("p1c1.tif"), file("p2c1.tif", present=False)), "2": (file("c2.tif"),)}
    assembled = assemble(tmp_path, FIELD, files, ("1", "2"))
    assert not assembled.site.is_complete
    assert assembled.lack is not None
    assert "lacks channel 1, because p2c1.tif, which the index names, is not there" in assembled.lack.detail


def test_a_link_out_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "c1.tif").symlink_to(tmp_path / "elsewhere.tif")
    assembled = assemble(tmp_path / "images", FIELD, {"1": (file("c1.tif"),)}, ("1",))
    assert [link.file for link in assembled.links] == ["c1.tif"]


def test_sites_are_ordered_by_number() -> None:
    files = {("P1", "A01", site, "1"): (file(f"{site}.tif"),) for site in ("10", "9")}
    assert [field.site for field in files_by_field(files)] == ["9", "10"]
