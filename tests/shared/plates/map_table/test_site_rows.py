"""One row per field of view becomes one row per well."""

from __future__ import annotations

import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates import parse_plate_map

HEADER = "Metadata_Plate,Metadata_Well,Metadata_Site,FileName_OrigDNA,PathName_OrigDNA,role"


def wells(*rows: str) -> list[tuple[str, dict[str, str]]]:
    plate_map = parse_plate_map("\n".join([HEADER, *rows]), source="load_data.csv", controls=False)
    return [(well.well, dict(well.metadata)) for well in plate_map.wells]


def test_the_rows_of_a_well_are_put_together() -> None:
    rows = ("P1,A01,3,a3.tif,/d,mock", "P1,A01,7,a7.tif,/d,mock", "P1,A02,3,b3.tif,/d,mock")
    (first, joined), (second, _) = wells(*rows)
    assert (first, second) == ("A01", "A02")
    assert joined == {"Metadata_Site": "3;7", "FileName_OrigDNA": "a3.tif;a7.tif", "PathName_OrigDNA": "/d"}


def test_files_of_one_name_in_two_folders_are_two_sites() -> None:
    ((_, joined),) = wells("P1,A01,1,a.tif,/d/1,mock", "P1,A01,2,a.tif,/d/2,mock")
    assert (joined["FileName_OrigDNA"], joined["PathName_OrigDNA"]) == ("a.tif;a.tif", "/d/1;/d/2")


@pytest.mark.parametrize("second", ["P1,A01,1,a.tif,/d,mock", "P1,A01,2,b.tif,/d,viral"])
def test_equal_files_and_other_contents_are_repeated_wells(second: str) -> None:
    with pytest.raises(InvalidPlateMap, match="well A01 of plate P1 is in rows 2 and 3; keep one"):
        wells("P1,A01,1,a.tif,/d,mock", second)
