"""Images of single cells in folders of any depth."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import BadInput, NotFound
from gandl_shared.plates import single_cells


def test_each_file_is_an_image_without_a_well(tmp_path: Path) -> None:
    for name in ("b/2.png", "a/1.tif", "a/.hidden.png", "labels.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    cells = single_cells(tmp_path)
    assert [(cell.plate, cell.well, cell.site, cell.names) for cell in cells] == [
        ("", "", "a/1.tif", ("a/1.tif",)),
        ("", "", "b/2.png", ("b/2.png",)),
    ]
    (only,) = single_cells(tmp_path / "b" / "2.png")
    assert (only.site, only.root) == ("2.png", tmp_path / "b")


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere is not there"):
        single_cells(tmp_path / "nowhere")
    (tmp_path / "labels.csv").touch()
    with pytest.raises(BadInput, match="holds no images"):
        single_cells(tmp_path)
