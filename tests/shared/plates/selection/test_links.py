"""Links out of the images folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.plates.selection.links import LinkCheck


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for folder in ("images/P1", "images/P2", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("images/P1/own.tif", "elsewhere/other.tif"):
        (tmp_path / file).touch()
    (tmp_path / "images/P1/out.tif").symlink_to(tmp_path / "elsewhere/other.tif")
    (tmp_path / "images/P2/in.tif").symlink_to(tmp_path / "images/P1/own.tif")
    (tmp_path / "images/linked").symlink_to(tmp_path / "elsewhere")
    return tmp_path / "images"


@pytest.mark.parametrize(
    ("name", "leads_out"),
    [
        ("P1/own.tif", False),
        ("P2/in.tif", False),
        ("P1/out.tif", True),
        ("P1/out.tif#image=2", True),
        ("P1/own.tif#image=2", False),
        ("linked/other.tif", True),
        ("../elsewhere/other.tif", True),
        ("P1/../../elsewhere/other.tif", True),
        ("/etc/hostname", True),
    ],
)
def test_files_and_folders_that_lead_out(images: Path, name: str, leads_out: bool) -> None:
    check = LinkCheck(images)
    assert check.leads_out(name) == check.leads_out(name) == leads_out
