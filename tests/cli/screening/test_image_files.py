"""Images without a plate map."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl.screening.image_files import image_sites
from gandl_shared.errors import BadInput, Invalid, NotFound
from gandl_shared.imaging import read_site
from gandl_shared.plates import ModelInput
from gandl_shared.schemas.choice import ImageChoice, MissingChannels, Reduction

from tests.shared.ome_zarr_plates import FIELDS, write_plate

MODEL = (ModelInput(name="GFP"), ModelInput(name="DNA"), ModelInput(name="Mito"))


def write(folder: Path, name: str, channels: int = 1) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (16, 16) if channels == 1 else (channels, 16, 16)
    tifffile.imwrite(path, np.zeros(shape, np.uint8), photometric="minisblack")


def test_a_file_with_all_channels_is_an_image(tmp_path: Path) -> None:
    for name in ("p1/b.tif", "p1/a.tif", "p2/c.tif"):
        write(tmp_path, name, channels=2)
    sites = image_sites([tmp_path], MODEL[:2]).sites
    assert [(site.plate, site.site) for site in sites] == [("p1", "a.tif"), ("p1", "b.tif"), ("p2", "c.tif")]


def test_each_image_of_a_file_is_an_image(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "A01.ome.tif", ome=True) as writer:
        for _ in range(2):
            writer.write(np.zeros((2, 16, 16), np.uint8), photometric="minisblack", metadata={"axes": "CYX"})
    write(tmp_path, "B01.ome.tif", channels=2)
    sites = image_sites([tmp_path], MODEL[:2]).sites
    assert [site.site for site in sites] == ["A01.ome.tif#image=1", "A01.ome.tif#image=2", "B01.ome.tif"]
    sites = image_sites([tmp_path], MODEL[:2], pattern="one-file-a-well").sites
    assert [(site.well, site.site) for site in sites] == [("A01", "1"), ("A01", "2"), ("B01", "1")]


@pytest.mark.parametrize("packed", [False, True])
def test_each_field_of_a_plate_in_ome_zarr_is_an_image(tmp_path: Path, packed: bool) -> None:
    plate = write_plate(tmp_path / "images" / "P1.zarr", 3)
    path = Path(shutil.make_archive(str(tmp_path / "P1.zarr"), "zip", plate)) if packed else plate
    inputs = [ModelInput(name="DNA"), ModelInput(name="GFP")]
    images = image_sites([path], inputs)
    assert images.channel_order == "channels 2 → DNA, 1 → GFP; by the names of the model's channels and stains"
    assert [(site.plate, site.well, site.site) for site in images.sites[:3]] == [
        ("P1", "A01", "1"),
        ("P1", "A01", "2"),
        ("P1", "A02", "1"),
    ]
    np.testing.assert_array_equal(read_site(images.sites[0].files), FIELDS[0, 0, ::-1])
    assert image_sites([tmp_path / "images"], inputs).sites[0].names[0] == "P1.zarr#field=A:1:0&plane=0,1,0"


def test_a_pattern_without_channels_takes_files_with_all_of_them(tmp_path: Path) -> None:
    write(tmp_path, "P/A01_s1.tif", channels=2)
    (site,) = image_sites([tmp_path], MODEL[:2], pattern="gandl-stack").sites
    assert (site.well, site.names) == ("A01", ("P/A01_s1.tif",))
    with pytest.raises(Invalid, match=r"A01_s1\.tif has 2 channels; the model takes 3"):
        image_sites([tmp_path], MODEL[:3], pattern="gandl-stack")


def test_files_of_one_channel_are_combined_by_the_preset_that_fits(tmp_path: Path) -> None:
    for well in ("A01", "A02"):
        for channel in (1, 2):
            write(tmp_path, f"P/{well}_s1_w{channel}.tif")
    sites = image_sites([tmp_path], MODEL[:2]).sites
    assert [(site.plate, site.well, site.site) for site in sites] == [("P", "A01", "1"), ("P", "A02", "1")]
    assert sites[0].names == ("P/A01_s1_w1.tif", "P/A01_s1_w2.tif")


def test_channels_are_selected_and_ordered(tmp_path: Path) -> None:
    for channel in (1, 2, 10):
        write(tmp_path, f"P/A01_s1_w{channel}.tif")
    (site,) = image_sites([tmp_path], MODEL[:2], pattern="gandl", channels=("10", "1")).sites
    assert site.names == ("P/A01_s1_w10.tif", "P/A01_s1_w1.tif")


def test_every_incomplete_image_is_named(tmp_path: Path) -> None:
    for name in ("A01_s1_w1", "A01_s1_w2", "A02_s1_w1", "A03_s1_w2"):
        write(tmp_path, f"P/{name}.tif")
    with pytest.raises(Invalid) as error:
        image_sites([tmp_path], MODEL[:2])
    assert [(p.file, p.detail) for p in error.value.problems] == [
        ("P/A02_s1_w1.tif", "site 1 of well A02 of plate P lacks channel 2; add the file, or give --missing skip"),
        ("P/A03_s1_w2.tif", "site 1 of well A03 of plate P lacks channel 1; add the file, or give --missing skip"),
    ]
    combined = image_sites([tmp_path], MODEL[:2], choice=ImageChoice(missing=MissingChannels.SKIP))
    assert [site.well for site in combined.sites] == ["A01"]
    assert len(combined.incomplete) == 2


def test_names_of_channels_are_put_into_the_order_of_the_model(tmp_path: Path) -> None:
    for channel in ("DAPI", "GFP"):
        write(tmp_path, f"P/A01_s1_w{channel}.tif")
    combined = image_sites([tmp_path], MODEL[:2])
    assert combined.sites[0].names == ("P/A01_s1_wGFP.tif", "P/A01_s1_wDAPI.tif")
    assert combined.channel_order == "channels GFP → GFP, DAPI → DNA; by the names of the model's channels and stains"


def test_focal_planes_are_refused_or_reduced(tmp_path: Path) -> None:
    for plane in (1, 2):
        write(tmp_path, f"r01c01f01p{plane:02d}-ch1sk1fk1fl1.tiff")
    with pytest.raises(Invalid, match="there are several focal planes"):
        image_sites([tmp_path], MODEL[:1], pattern="opera-phenix")
    choice = ImageChoice(z=Reduction.MAX)
    (site,) = image_sites([tmp_path], MODEL[:1], pattern="opera-phenix", choice=choice).sites
    assert site.planes == (2,)


def test_another_number_of_channels_is_named(tmp_path: Path) -> None:
    write(tmp_path, "x.tif", channels=3)
    with pytest.raises(Invalid, match=r"x\.tif has 3 channels, the model takes 2, and no layout fits"):
        image_sites([tmp_path], MODEL[:2])
    for channel in (1, 2, 3):
        write(tmp_path, f"P/A01_s1_w{channel}.tif")
    with pytest.raises(Invalid, match="have channels 1, 2, 3; the model takes 2: see --channels"):
        image_sites([tmp_path], MODEL[:2], pattern="gandl")


def test_missing_paths_and_patterns_without_a_file_are_named(tmp_path: Path) -> None:
    write(tmp_path, "x.tif")
    with pytest.raises(NotFound, match="nowhere is not there"):
        image_sites([tmp_path / "nowhere"], MODEL[:1])
    with pytest.raises(BadInput, match=r"no image in .* fits pattern gandl, such as x\.tif"):
        image_sites([tmp_path], MODEL[:1], pattern="gandl")
