"""Uploads lie below the image root under names of the service, or not at all."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from gandl_analysis.service.intake.uploads import Uploads
from gandl_shared.errors import BadInput, Conflict, TooLarge


def archive(*names: str) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name in names:
            opened.writestr(name, b"1")
    buffer.seek(0)
    return buffer


def test_an_archive_becomes_a_folder_of_its_own_with_all_folders_in_it(tmp_path: Path) -> None:
    uploads = Uploads(image_root=tmp_path, max_bytes=10_000)
    path = uploads.add_archive("../My plate!.ZIP", archive("top/Images/A01.tif", "top/Images/A02.tif"))
    assert path.startswith("uploads/My-plate-")
    # The name of a folder may be that of a plate, so none is passed over.
    assert sorted(p.name for p in (tmp_path / path / "top/Images").iterdir()) == ["A01.tif", "A02.tif"]
    # The archive itself is gone.
    assert [p.suffix for p in (tmp_path / "uploads").iterdir()] == [""]


def test_an_archive_of_archives_is_refused_unless_they_are_images(tmp_path: Path) -> None:
    uploads = Uploads(image_root=tmp_path, max_bytes=10_000)
    with pytest.raises(BadInput, match="holds only another archive, 'plate.zip'; unpack it"):
        uploads.add_archive("x.zip", archive("top/plate.zip"))
    assert not list((tmp_path / "uploads").iterdir())
    assert (tmp_path / uploads.add_archive("x.zip", archive("plate.ome.zarr.zip"))).is_dir()


def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    uploads = Uploads(image_root=tmp_path, max_bytes=300)
    with pytest.raises(BadInput, match="leads out"):
        uploads.add_archive("x.zip", archive("../A01.tif"))
    with pytest.raises(TooLarge, match="more than 300 bytes"):
        uploads.add_archive("x.zip", archive(*(f"{n}.tif" for n in range(9))))
    with pytest.raises(BadInput, match="no plate map"):
        uploads.add_plate_map("x.exe", io.BytesIO(b""))
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize("name", ["../../map.CSV", "C:\\lab\\map.csv", "map.csv"])
def test_a_plate_map_keeps_a_plain_form_of_its_name(tmp_path: Path, name: str) -> None:
    path = Uploads(image_root=tmp_path, max_bytes=1).add_plate_map(name, io.BytesIO(b"well\nA01\n"))
    assert path.startswith("uploads/map-")
    assert path.endswith(".csv")
    assert (tmp_path / path).read_bytes() == b"well\nA01\n"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("a file")
    with pytest.raises(Conflict, match="cannot write uploads"):
        Uploads(image_root=tmp_path, max_bytes=1).add_plate_map("map.csv", io.BytesIO())
