"""Plates in OME-Zarr: each plane of each field, by the metadata of the plate."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from gandl_shared.errors import BadInput, Invalid, InvalidImage
from gandl_shared.imaging import read_site
from gandl_shared.plates.layouts.detect import read_inventory
from gandl_shared.plates.layouts.images import ChannelName
from gandl_shared.plates.layouts.listing import list_folder
from gandl_shared.plates.selection.channels import ModelInput
from gandl_shared.plates.sites import find_sites, survey_images
from gandl_shared.schemas.choice import ImageChoice

from tests.shared.file_server import file_server
from tests.shared.ome_zarr_plates import CHANNELS, FIELDS, WELLS, change, plate_map, write_plate


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_plate_is_read_by_its_metadata(tmp_path: Path, zarr_format: int) -> None:
    write_plate(tmp_path / "images" / "P1.zarr", zarr_format)
    inventory = read_inventory(list_folder(tmp_path / "images"))
    assert inventory.layout == "OME-Zarr plate"
    assert inventory.channels == tuple(ChannelName(token=str(i), name=n) for i, n in enumerate(CHANNELS, start=1))
    assert inventory.files[0].pixel_size_um == 0.5
    assert [(f.well, f.site, f.channel, f.plates) for f in inventory.files[:3]] == [
        ("A01", "1", "1", ("P1",)),
        ("A01", "1", "2", ("P1",)),
        ("A01", "2", "1", ("P1",)),
    ]
    sites = find_sites(tmp_path / "images", plate_map(tmp_path))
    pixels = np.stack([read_site(site.files) for site in sites])
    np.testing.assert_array_equal(pixels, FIELDS.reshape(-1, *FIELDS.shape[2:]))


def test_the_names_of_the_channels_decide_their_order(tmp_path: Path) -> None:
    write_plate(tmp_path / "P1.zarr", 3)
    inputs = [ModelInput(name="DNA"), ModelInput(name="GFP")]
    survey = survey_images(tmp_path / "P1.zarr", plate_map(tmp_path), inputs=inputs)
    assert survey.channels.tokens == ("2", "1")
    np.testing.assert_array_equal(read_site(survey.sites[0].files), FIELDS[0, 0, ::-1])


@pytest.mark.parametrize("inner", ["", "P1.zarr"])
@pytest.mark.parametrize("as_root", [True, False])
def test_an_archive_is_a_plate(tmp_path: Path, inner: str, as_root: bool) -> None:
    write_plate(tmp_path / "plate" / "P1.zarr", 2)
    archive = tmp_path / "images" / "P1.zarr.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((tmp_path / "plate" / "P1.zarr").rglob("*")):
            file.write(path, Path(inner) / path.relative_to(tmp_path / "plate" / "P1.zarr"))
    sites = find_sites(archive if as_root else archive.parent, plate_map(tmp_path))
    assert len(sites) == 6
    np.testing.assert_array_equal(read_site(sites[5].files), FIELDS[2, 1])


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_plate_at_a_url_is_read_without_a_list(tmp_path: Path, zarr_format: int) -> None:
    plate = write_plate(tmp_path / "P1.zarr", zarr_format)
    level = plate / "A/1/0/0"
    shutil.rmtree(level)
    pixels = FIELDS[0, 0][None, :, None]
    shards = {"shards": (1, 1, 1, 320, 320)} if zarr_format == 3 else {}
    array = zarr.create_array(
        level, shape=pixels.shape, dtype="uint16", chunks=(1, 1, 1, 64, 64), zarr_format=zarr_format, **shards
    )
    array[...] = pixels
    with file_server(tmp_path) as server:
        sites = find_sites(Path(f"{server.url}/P1.zarr"), plate_map(tmp_path))
        for site, field in zip(sites[:3], FIELDS.reshape(-1, *FIELDS.shape[2:]), strict=False):
            np.testing.assert_array_equal(read_site(site.files), field)
        with pytest.raises(BadInput, match="holds no plate"):
            find_sites(Path(f"{server.url}/P2.zarr"), plate_map(tmp_path))


def test_times_and_focal_planes_are_chosen_as_in_other_layouts(tmp_path: Path) -> None:
    write_plate(tmp_path / "P1.zarr", 2)
    stack = np.arange(2 * 2 * 3 * 8 * 8, dtype=np.uint16).reshape(2, 2, 3, 8, 8)
    for well in ("A/1", "A/2", "B/3"):
        for number in "01":
            level = tmp_path / "P1.zarr" / well / number / "0"
            shutil.rmtree(level)
            zarr.save_array(level, stack, zarr_format=2)
    with pytest.raises(Invalid, match=r"there are several time points \(1, 2\); choose one with --timepoint N"):
        find_sites(tmp_path, plate_map(tmp_path))
    sites = find_sites(tmp_path, plate_map(tmp_path), choice=ImageChoice(timepoint="2", z="3"))
    np.testing.assert_array_equal(read_site(sites[0].files), stack[1, :, 2])


def test_acquisitions_are_measurements(tmp_path: Path) -> None:
    write_plate(tmp_path / "P1.zarr", 3)
    for well in ("A/1", "A/2", "B/3"):

        def number(document: dict) -> None:
            for i, image in enumerate(document["attributes"]["ome"]["well"]["images"]):
                image["acquisition"] = i

        change(tmp_path / "P1.zarr" / well / "zarr.json", number)
    with pytest.raises(Invalid, match="choose one with --measurement N"):
        find_sites(tmp_path, plate_map(tmp_path))
    sites = find_sites(tmp_path, plate_map(tmp_path), choice=ImageChoice(measurement="1"))
    assert [site.site for site in sites] == ["1", "1", "1"]
    np.testing.assert_array_equal(read_site(sites[0].files), FIELDS[0, 1])


def test_fields_that_name_a_channel_differently_are_refused(tmp_path: Path) -> None:
    write_plate(tmp_path / "P1.zarr", 3)

    def rename(document: dict) -> None:
        document["attributes"]["ome"]["omero"]["channels"][0]["label"] = "RFP"

    change(tmp_path / "P1.zarr" / "B/3/1/zarr.json", rename)
    with pytest.raises(Invalid, match="channel 1 is 'GFP' in A/1/0 and 'RFP' in B/3/1"):
        read_inventory(list_folder(tmp_path))


def test_the_plate_is_named_by_itself_or_by_its_folder(tmp_path: Path) -> None:
    write_plate(tmp_path / "Batch7.ome.zarr", 3, name="plate")
    files = read_inventory(list_folder(tmp_path)).files
    assert files[0].plates == ("plate", "Batch7")
    assert len(find_sites(tmp_path, plate_map(tmp_path, "Batch7"))) == 2 * len(WELLS)


def test_what_is_no_plate_is_passed_over(tmp_path: Path) -> None:
    zarr.save_array(tmp_path / "array.zarr", np.zeros((4, 4)), zarr_format=3)
    (tmp_path / "raw.zip").write_bytes(b"no archive")
    with pytest.raises(BadInput, match="holds no plate: there is no TIFF or PNG, and no OME-Zarr or archive"):
        read_inventory(list_folder(tmp_path))
    write_plate(tmp_path / "P1.zarr", 3)
    assert read_inventory(list_folder(tmp_path)).skipped == {"archives and OME-Zarr images without a plate": 2}
    (tmp_path / "P2.zarr.zip").write_bytes(b"no archive")
    with pytest.raises(BadInput, match=r"P2\.zarr\.zip cannot be opened as a ZIP archive"):
        read_inventory(list_folder(tmp_path))


def test_an_archive_outside_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    write_plate(tmp_path / "secret" / "P1.zarr", 3)
    archive = Path(shutil.make_archive(str(tmp_path / "P1"), "zip", tmp_path / "secret"))
    (tmp_path / "images" / "P1.zarr.zip").symlink_to(archive)
    with pytest.raises(Invalid, match=r"P1\.zarr\.zip is a link out of the images folder"):
        read_inventory(list_folder(tmp_path / "images"))
    (tmp_path / "images" / "P1.zarr.zip").unlink()
    (tmp_path / "images" / "P1.zarr").symlink_to(tmp_path / "secret" / "P1.zarr", target_is_directory=True)
    with pytest.raises(BadInput, match="holds no images"):
        read_inventory(list_folder(tmp_path / "images"))


def test_the_files_of_a_hierarchy_are_not_listed(tmp_path: Path) -> None:
    write_plate(tmp_path / "deep" / "P1.zarr", 3)
    (tmp_path / "deep" / "P1.zarr" / "thumb.png").write_bytes(b"")
    listing = list_folder(tmp_path)
    assert (listing.zarrs, listing.images, listing.others) == (("deep/P1.zarr",), (), ())


@pytest.mark.parametrize("path", ["../P2/A/1", "/etc/A", "A/../../1", "A//1", "A/1/0", "..", "A\\1"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_well_outside_the_plate_is_refused(tmp_path: Path, path: str, zarr_format: int) -> None:
    plate = write_plate(tmp_path / "P1.zarr", zarr_format)

    def lead_out(document: dict) -> None:
        attributes = document["attributes"]["ome"] if zarr_format == 3 else document
        attributes["plate"]["wells"][0] = {"path": path}

    change(plate / ("zarr.json" if zarr_format == 3 else ".zattrs"), lead_out)
    with pytest.raises(InvalidImage, match=r"P1\.zarr"):
        read_inventory(list_folder(tmp_path))


@pytest.mark.parametrize("path", ["../../B/3/0", "/etc/passwd", "..", "0/../../../../x"])
def test_an_image_or_a_level_outside_the_plate_is_refused(tmp_path: Path, path: str) -> None:
    def lead_out_of_well(document: dict) -> None:
        document["attributes"]["ome"]["well"]["images"][0]["path"] = path

    def lead_out_of_image(document: dict) -> None:
        document["attributes"]["ome"]["multiscales"][0]["datasets"][0]["path"] = path

    for name, file, edit in (("a", "A/1/zarr.json", lead_out_of_well), ("b", "A/1/0/zarr.json", lead_out_of_image)):
        change(write_plate(tmp_path / name / "P1.zarr", 3) / file, edit)
        with pytest.raises(InvalidImage, match="which is no path below it"):
            read_inventory(list_folder(tmp_path / name))
