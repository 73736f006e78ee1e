"""Which files of a folder are images of the plate, and which are never taken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gandl_shared.errors import BadInput
from gandl_shared.plates.layouts.listing import list_folder, reason_to_skip

from tests.shared.plates.layouts.folders import touch


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("P1/._A01_s1_w1.tif", "hidden files"),
        ("__MACOSX/P1/A01.tif", "hidden files"),
        (".snapshots/A01.tif", "hidden files"),
        ("P1/P1_A01_s1_w1_thumb9B08923D-10C6-4FD9-94B2-B8FDA02F34A6.tif", "thumbnails"),
        ("P1/SC_BP445-45_20x v2_M01_CH01.tif", "calibration images"),
        ("P1/DC_DCAM#2_CAM4.tif", "calibration images"),
        ("P1/A01_s1_w1.tif", None),
        ("P1/thumbs_up_A01.tif", None),
        ("P1/SCREEN_A01_s1.tif", None),
    ],
)
def test_what_is_never_a_plate_image(name: str, reason: str | None) -> None:
    assert reason_to_skip(name) == reason


def test_a_folder_is_listed_with_what_was_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "P1/b.TIFF", "P1/a.png", "P1/.hidden.tif", "c.tif", "notes.txt", "P1/Index.xml")
    listing = list_folder(tmp_path)
    assert listing.images == ("P1/a.png", "P1/b.TIFF", "c.tif")
    assert listing.others == ("P1/Index.xml", "notes.txt")
    assert listing.skipped == {"hidden files": 1}


def test_a_folder_of_thumbnails_holds_no_images(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no images .*; 1 were left out as thumbnails"):
        list_folder(touch(tmp_path, "A01_thumb.tif"))


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    touch(tmp_path, "P1/a.tif")
    (tmp_path / "P1" / "up").symlink_to(tmp_path, target_is_directory=True)
    assert list_folder(tmp_path).images == ("P1/a.tif",)


def test_each_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a network share, each further call per folder takes milliseconds."""
    touch(tmp_path, *(f"P{plate}/A{well:02d}_s1_w1.tif" for plate in range(3) for well in range(1, 13)))
    folders: list[Path] = []
    scandir = os.scandir

    def counted(path: Path) -> object:
        folders.append(Path(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    assert len(list_folder(tmp_path).images) == 36
    assert sorted(folders) == [tmp_path, *(tmp_path / f"P{plate}" for plate in range(3))]
