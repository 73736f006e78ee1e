"""Files by a pattern of their names."""

from __future__ import annotations

import pytest
from gandl_shared.errors import BadInput
from gandl_shared.plates.layouts.names import match_images
from gandl_shared.plates.patterns import PATTERNS


@pytest.mark.parametrize(
    ("preset", "name", "values"),
    [
        ("gandl", "P1/B07_s2_w3.tif", ("B07", "2", "3", "", "")),
        ("opera-phenix", "r02c07f3p04-ch1sk2fk1fl1.tiff", ("B07", "3", "1", "04", "2")),
        ("cellvoyager", "S_B07_T0001F002L01A01Z03C02.tif", ("B07", "002", "2", "03", "0001")),
        ("incell", "B - 07(fld 2 wv Blue - GFP).tif", ("B07", "2", "GFP", "", "")),
        ("incarta", "B_07_f1_c2_xUV_mDNA_z0_t0.tif", ("B07", "1", "DNA", "0", "0")),
        ("bbbc013", "Channel2-43-D-07.tif", ("D07", "1", "2", "", "")),
    ],
)
def test_presets(preset: str, name: str, values: tuple[str, ...]) -> None:
    (file,) = match_images([name], PATTERNS[preset])
    assert (file.well, file.site, file.channel, file.plane, file.time) == values


def test_rows_and_columns_may_count_from_zero() -> None:
    (file,) = match_images(["Row0_Col11.tif"], "Row{row0}_Col{column0}.tif")
    assert file.well == "A12"


def test_without_a_plate_in_the_pattern_the_folders_may_name_it() -> None:
    (file,) = match_images(["2024/P1/A01.tif"], "{well}.tif")
    assert (file.plates, file.named) == (("P1", "2024"), False)


@pytest.mark.parametrize(
    ("name", "pattern", "advice"),
    [
        ("Row0_Col3.tif", "Row{row}_Col{column}.tif", r"such as Row\{row0\}_Col\{column0\}\.tif"),
        ("r02c00f1p1-ch1sk1fk1fl1.tif", PATTERNS["opera-phenix"], "give --pattern with"),
        ("B00.tif", "{well}.tif", r"such as \{row\}\{column0\}\.tif"),
    ],
)
def test_names_that_count_from_zero_are_refused_where_the_pattern_counts_from_one(
    name: str, pattern: str, advice: str
) -> None:
    with pytest.raises(BadInput, match=f"has a row or column 0, so its names count from 0; .*{advice}"):
        match_images([name.replace("0", "2", 1), name], pattern)


@pytest.mark.parametrize(("number", "well"), [("W00001", "A01"), ("W00013", "B01"), ("W00096", "H12")])
def test_wells_may_be_numbered_along_the_rows(number: str, well: str) -> None:
    pattern = "{any}--W{number96}--P{site}--Z{plane}--T{time}--{channel}.tif"
    (file,) = match_images([f"exp--{number}--P00002--Z00000--T00000--GFP.tif"], pattern)
    assert (file.well, file.site, file.channel) == (well, "00002", "GFP")
    assert match_images(["exp--W00097--P00002--Z00000--T00000--GFP.tif"], pattern) == ()


@pytest.mark.parametrize("name", ["AB100.tif", "IM123.tif", "Row0_Col1_A.tif"])
def test_a_file_whose_well_is_no_well_does_not_fit(name: str) -> None:
    assert match_images([name], PATTERNS["one-file-a-well"]) == ()
