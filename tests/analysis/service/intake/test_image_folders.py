"""Images of a folder of results are looked for below the image root only, whatever the folder says."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.service.intake.image_folders import MOVED, OUTSIDE, UNKNOWN, place_images
from gandl_shared.errors import Forbidden, Invalid, InvalidTable, NotFound
from gandl_shared.plates import SiteId
from gandl_shared.store import ImageFolder, SiteFiles, write_site_files

SITE = SiteId("P1", "A01", "1")
EMBEDDED = {SITE}
FILES = SiteFiles(site=SITE, names=("A01.tif",))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root/images").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "root/link").symlink_to(tmp_path / "outside")
    return tmp_path / "root"


def output(root: Path, folder: str, *sites: SiteFiles) -> Path:
    out = root / "results/one"
    out.mkdir(parents=True)
    with (out / "images.parquet").open("wb") as file:
        write_site_files(file, ImageFolder(folder=folder, sites=sites or (FILES,)))
    return out


def test_images_beside_the_results_are_there(root: Path) -> None:
    position = place_images(output(root, "../../images"), root, EMBEDDED)
    assert (position.folder, position.sites, position.note) == (root / "images", (FILES,), None)


@pytest.mark.parametrize("folder", ["../../..", "../../../outside", "../../../../../../../../etc", "../../link"])
def test_images_outside_the_root_are_not_shown(root: Path, folder: str) -> None:
    position = place_images(output(root, folder), root, EMBEDDED)
    assert (position.folder, position.sites, position.note) == (None, (), OUTSIDE)


def test_images_that_have_moved_are_named_by_their_path_below_the_root(root: Path) -> None:
    out = output(root, "../../earlier")
    position = place_images(out, root, EMBEDDED)
    assert (position.folder, position.note) == (root / "earlier", MOVED.format("earlier"))
    named = place_images(out, root, EMBEDDED, "images")
    assert (named.folder, named.note) == (root / "images", None)


@pytest.mark.parametrize(
    ("named", "error"), [("../outside", Forbidden), ("link", Forbidden), ("/etc", Forbidden), ("absent", NotFound)]
)
def test_a_named_folder_is_below_the_root(root: Path, named: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        place_images(output(root, "../../images"), root, EMBEDDED, named)


def test_files_that_lead_out_and_sites_without_vectors_are_refused(root: Path) -> None:
    out = output(root, "../../images", SiteFiles(site=SITE, names=("../../outside/x.tif",)))
    with pytest.raises(Invalid, match="below the folder of the images"):
        place_images(out, root, EMBEDDED)
    with pytest.raises(InvalidTable, match="no vectors"):
        place_images(output(root / "b", "../../../images"), root, ())


def test_an_older_folder_does_not_say_where_they_are(root: Path) -> None:
    assert place_images(root, root, EMBEDDED).note == UNKNOWN
