"""Folders below the image root are seen, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.service.intake.folders import MAX_SHOWN, view_folder
from gandl_shared.errors import Forbidden, NotFound


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").mkdir()
    root = tmp_path / "root"
    for name in ("plate/Images", "plate/.hidden", "other", "out"):
        (root / name).mkdir(parents=True)
    for name in ("plate/map.csv", "plate/A01.tif", "plate/notes.pdf", "out/embeddings.parquet", "out/wells.csv"):
        (root / name).touch()
    (root / "plate/outside").symlink_to(tmp_path / "secret")
    (root / "plate/inside").symlink_to(root / "other")
    (root / "plate/circle").symlink_to(root / "plate/circle")
    return root


def test_a_folder_shows_folders_tables_and_counts_but_no_link_out(root: Path) -> None:
    view = view_folder(root, "plate")
    assert (view.folders, view.tables, view.images, view.is_output) == (("Images", "inside"), ("map.csv",), 1, False)
    assert view.parents == (("plate", "plate"),)
    assert view.below("Images") == "plate/Images"
    assert view_folder(root, "").folders == ("other", "out", "plate")
    assert view_folder(root, "out").is_output


@pytest.mark.parametrize("path", ["..", "plate/..", "plate/outside", "/etc", "plate/../../secret", "a\0b"])
def test_nothing_outside_the_root_is_seen(root: Path, path: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        view_folder(root, path)


def test_long_lists_are_cut_and_counted(root: Path) -> None:
    for n in range(MAX_SHOWN + 5):
        (root / f"other/{n}").mkdir()
    view = view_folder(root, "other")
    assert (len(view.folders), view.folder_count) == (MAX_SHOWN, MAX_SHOWN + 5)
