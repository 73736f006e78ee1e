"""Several images in one file: each is a site."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import Invalid, InvalidImage
from gandl_shared.imaging import count_images, read_header, read_image, read_site, split_sites
from gandl_shared.plates import Site

FIELDS = np.random.default_rng(0).integers(0, 4000, (3, 2, 40, 50), dtype=np.uint16)


def write(path: Path, images: list[np.ndarray], *, ome: bool = True) -> Path:
    with tifffile.TiffWriter(path, ome=ome) as writer:
        for image in images:
            writer.write(image, photometric="minisblack", metadata={"axes": "CYX" if image.ndim == 3 else "YX"})
    return path


def site(root: Path, *names: str, well: str = "A01", number: str = "1") -> Site:
    return Site(plate="P1", well=well, site=number, root=root, names=names)


@pytest.mark.parametrize("ome", [True, False])
def test_each_image_of_a_file_is_read_by_its_number(tmp_path: Path, ome: bool) -> None:
    path = write(tmp_path / "a.ome.tif", list(FIELDS), ome=ome)
    assert count_images(path) == 3
    for number, field in enumerate(FIELDS, start=1):
        named = tmp_path / f"a.ome.tif#image={number}"
        assert read_header(named).channels == 2
        np.testing.assert_array_equal(read_image(named), field)
    for read in (read_header, read_image):
        with pytest.raises(InvalidImage, match=r"a\.ome\.tif holds 3 images \(fields of view\); give one file per"):
            read(path)
        with pytest.raises(InvalidImage, match=r"a\.ome\.tif holds 3 images and no image 4"):
            read(tmp_path / "a.ome.tif#image=4")
        with pytest.raises(InvalidImage, match=r"names no image"):
            read(tmp_path / "a.ome.tif#page=1")


def test_thumbnails_and_reduced_copies_are_no_images(tmp_path: Path) -> None:
    field = FIELDS[0, 0]
    for i, images in enumerate(([field, field[::2, ::2], field[::4, ::4]], [field[::3, ::3], field])):
        with tifffile.TiffWriter(tmp_path / f"{i}.tif") as writer:
            for image in images:
                writer.write(image, photometric="minisblack", metadata=None, contiguous=False)
        np.testing.assert_array_equal(read_image(tmp_path / f"{i}.tif"), field[None])


def test_images_of_different_forms_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.ome.tif", [FIELDS[0], FIELDS[1][:, :30]])
    with pytest.raises(InvalidImage, match=r"images of different forms: 2×40×50 uint16 and 2×30×50 uint16"):
        read_image(tmp_path / "a.ome.tif")


def test_sites_are_split_into_the_images_of_their_files(tmp_path: Path) -> None:
    write(tmp_path / "A01.ome.tif", list(FIELDS))
    write(tmp_path / "A02.ome.tif", list(FIELDS[:1]))
    sites = split_sites([site(tmp_path, "A01.ome.tif"), site(tmp_path, "A02.ome.tif", well="A02")])
    assert [(s.well, s.site, s.names) for s in sites] == [
        ("A01", "1", ("A01.ome.tif#image=1",)),
        ("A01", "2", ("A01.ome.tif#image=2",)),
        ("A01", "3", ("A01.ome.tif#image=3",)),
        ("A02", "1", ("A02.ome.tif",)),
    ]
    np.testing.assert_array_equal(np.stack([read_site(s.files) for s in sites[:3]]), FIELDS)


def test_a_well_of_several_files_keeps_their_numbers_and_channels_go_together(tmp_path: Path) -> None:
    for channel in range(2):
        for number in (1, 2):
            write(tmp_path / f"A01_s{number}_w{channel}.ome.tif", list(FIELDS[:2, channel]))
    sites = split_sites([site(tmp_path, f"A01_s{i}_w0.ome.tif", f"A01_s{i}_w1.ome.tif", number=str(i)) for i in (1, 2)])
    assert [s.site for s in sites] == ["1.1", "1.2", "2.1", "2.2"]
    np.testing.assert_array_equal(read_site(sites[3].files), FIELDS[1])


def test_channels_of_different_numbers_of_images_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.ome.tif", list(FIELDS[:, 0]))
    write(tmp_path / "b.ome.tif", list(FIELDS[:2, 0]))
    with pytest.raises(Invalid, match="the files of site 1 of well A01 of plate P1 hold different numbers of images"):
        split_sites([site(tmp_path, "a.ome.tif", "b.ome.tif")])


def test_files_of_one_image_stay_as_they_are(tmp_path: Path) -> None:
    write(tmp_path / "a.ome.tif", [FIELDS[0]])
    (tmp_path / "b.tif").write_bytes(b"II*\0 damaged")
    sites = (site(tmp_path, "a.ome.tif"), site(tmp_path, "b.tif", well="A02"), site(tmp_path, "gone.tif", well="A03"))
    assert split_sites(sites) == sites
