"""The image table of BBBC021 becomes a plate map with the files of each well and the mechanism of action."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import BadInput, InvalidPlateMap
from gandl_shared.plates import Role, find_sites, read_plate_map

from tests.shared.plates.layouts.folders import touch
from tests.shared.plates.map_table.published.tables import bbbc021, write

WELLS = (("B02", "DMSO", "0.0"), ("B03", "taxol", "0.3"), ("B04", "taxol", "3.0"), ("B05", "AZ-J", "1.0"))
MOA = "compound,concentration,moa\nAZ-J,1,Epithelial\ntaxol,0.300,Microtubule stabilizers\nDMSO,0,DMSO\n"


def test_wells_have_roles_files_and_mechanisms(tmp_path: Path) -> None:
    write(tmp_path / "BBBC021_v1_moa.csv", MOA)
    table = write(tmp_path / "BBBC021_v1_image.csv", bbbc021(*WELLS))
    plate_map = read_plate_map(table, positive=("Taxol@0.3",))
    assert [well.role for well in plate_map.wells] == [
        Role.NEGATIVE,
        Role.POSITIVE,
        Role.TREATMENT,
        Role.TREATMENT,
    ]
    assert [well.metadata["moa"] for well in plate_map.wells] == ["DMSO", "Microtubule stabilizers", "", "Epithelial"]
    first = plate_map.wells[0]
    assert (first.plate, first.cell_line, first.concentration_um) == ("Week1_22123", "MCF7", None)
    assert first.metadata["FileName_DAPI"] == "Week1_150607_B02_s1_w1A1-B2.tif;Week1_150607_B02_s2_w1A1-B2.tif"
    assert first.metadata["site"] == "1;2"


def test_the_positive_control_must_be_chosen(tmp_path: Path) -> None:
    table = write(tmp_path / "BBBC021_v1_image.csv", bbbc021(*WELLS))
    with pytest.raises(InvalidPlateMap) as error:
        read_plate_map(table)
    assert "choose one with --positive-control, such as taxol@0.3" in str(error.value.problems[0])
    with pytest.raises(BadInput, match="has no concentration after the @"):
        read_plate_map(table, positive=("taxol@much",))


def test_images_are_those_that_the_table_names(tmp_path: Path) -> None:
    other = bbbc021(*WELLS, plate="Week2_24121").partition("\n")[2]
    table = write(tmp_path / "BBBC021_v1_image.csv", bbbc021(*WELLS) + other)
    names = [
        f"Week1_22123/Week1_150607_{well}_s{site}_w{channel}A1-B2.tif"
        for well, *_ in WELLS
        for site in (1, 2)
        for channel in (1, 2, 4)
    ]
    touch(tmp_path / "images", *names[:-1])
    plate_map = read_plate_map(table, positive=("taxol",))
    sites = find_sites(tmp_path / "images", plate_map, channels=["DAPI", "Tubulin", "Actin"])
    assert len(sites) == 8
    assert sites[0].names == tuple(names[:3])
    assert [site.id for site in sites if not site.is_complete] == [("Week1_22123", "B05", "2")]


def test_missing_columns_and_bad_doses_are_named(tmp_path: Path) -> None:
    table = write(tmp_path / "BBBC021_v1_image.csv", bbbc021(("B02", "DMSO", "none at all")))
    with pytest.raises(InvalidPlateMap, match="row 2, Image_Metadata_Concentration") as error:
        read_plate_map(table)
    assert "is no concentration in µM" in str(error.value.problems[0])
    write(table, bbbc021(*WELLS).replace("Image_FileName_Actin", "Actin"))
    with pytest.raises(InvalidPlateMap) as missing:
        read_plate_map(table)
    assert "'image_filename_actin' of BBBC021's image table is missing" in str(missing.value.problems[0])
