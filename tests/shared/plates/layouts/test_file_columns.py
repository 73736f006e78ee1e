"""Images that columns of the plate map name."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates import PlateMap, parse_plate_map
from gandl_shared.plates.layouts.file_columns import channel_number, file_columns, inside, read_file_columns
from gandl_shared.plates.layouts.images import ChannelName, Inventory

from tests.shared.plates.layouts.folders import touch


def plate_map(columns: str, first: str, second: str) -> PlateMap:
    text = f"plate,well,role,{columns}\nP1,A01,mock,{first}\nP1,A02,viral,{second}\n"
    return parse_plate_map(text, source="map.csv")


def read(root: Path, wells: PlateMap) -> Inventory:
    return read_file_columns(root, wells, file_columns(wells))


def test_a_column_names_files_by_its_name_and_its_cells() -> None:
    wells = plate_map("FileName_OrigDNA,FileName_IllumDNA,file_date,channel_1", "a.tif,i.npy,2024-05-01,b.tif", ",,,")
    assert file_columns(wells) == ["FileName_OrigDNA", "channel_1"]


def test_names_and_numbers_of_channels(tmp_path: Path) -> None:
    touch(tmp_path, "a.tif", "b.tif")
    wells = plate_map("FileName_OrigDNA,channel_2_gfp", "a.tif,b.tif", "a.tif,b.tif")
    dna, gfp = read(tmp_path, wells).channels
    assert (dna.name, channel_number(dna)) == ("DNA", None)
    assert (gfp.name, channel_number(gfp)) == ("gfp", 2)
    assert channel_number(ChannelName(token="other")) is None


def test_the_last_folders_of_a_path_of_another_machine_are_looked_up(tmp_path: Path) -> None:
    touch(tmp_path, "P1/a.tif")
    wells = plate_map("FileName_OrigDNA,PathName_OrigDNA", "a.tif,/data/2024/P1", "a.tif,D:\\screen\\P1")
    assert {file.name for file in read(tmp_path, wells).files} == {"P1/a.tif"}


@pytest.mark.parametrize("name", ["../out.tif", "/etc/hostname"])
def test_files_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid, match="is outside the images folder"):
        read(touch(tmp_path / "images", "a.tif"), plate_map("channel_1", "a.tif", name))


def test_every_problem_has_its_row(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        read(touch(tmp_path, "a.tif"), plate_map("channel_1,channel_2", "a.tif;a.tif,a.tif", "a.tif,gone.tif"))
    assert [(problem.row, problem.field) for problem in caught.value.problems] == [(2, None), (3, "channel_2")]


def test_links_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "link.tif").symlink_to(tmp_path)
    assert inside(tmp_path / "images", "link.tif") is None
    assert inside(tmp_path / "images", "a.tif") == tmp_path.resolve() / "images" / "a.tif"


def test_a_column_of_sites_names_them_and_each_has_its_path(tmp_path: Path) -> None:
    touch(tmp_path, "1/a.tif", "2/a.tif", "b.tif")
    wells = plate_map("Site,FileName_OrigDNA,PathName_OrigDNA", "3;7,a.tif;a.tif,/d/1;/d/2", ",b.tif,")
    files = [(file.well, file.site, file.name) for file in read(tmp_path, wells).files]
    assert files == [("A01", "3", "1/a.tif"), ("A01", "7", "2/a.tif"), ("A02", "1", "b.tif")]
