"""Files by a pattern of their names."""

from __future__ import annotations

import pytest
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


@pytest.mark.parametrize("name", ["A00.tif", "AB100.tif", "Row0_Col1_A0.tif"])
def test_a_file_whose_well_is_no_well_does_not_fit(name: str) -> None:
    assert match_images([name], PATTERNS["one-file-a-well"]) == ()
