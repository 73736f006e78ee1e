"""Names of Gen5: which of two numbers is the field of view."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.plates.layouts.cytation import read_cytation
from gandl_shared.plates.layouts.listing import Listing


def read(*names: str) -> list[tuple[str, str, str, str]]:
    inventory = read_cytation(Listing(Path(), names, (), {}))
    assert inventory is not None
    return [(file.well, file.site, file.channel, file.time) for file in inventory.files]


@pytest.mark.parametrize(
    ("names", "sites"),
    [
        (("A1_02_1_1_DNA_001.tif", "A1_02_1_2_GFP_001.tif"), ["1", "1"]),  # the second numbers the channels
        (("A1_02_1_1_DNA_001.tif", "A1_02_2_1_GFP_001.tif"), ["1", "1"]),  # the first does
        (("A1_02_1_1_DNA_001.tif", "A1_02_1_2_DNA_001.tif"), ["1", "2"]),  # one channel, two fields
        (("A1_02_1_1_DNA_001.tif", "A1_02_1_2_DNA_001.tif", "A1_02_2_1_GFP_001.tif"), ["1", "2", "1"]),
        (("A1_02_1_1_DNA_001.tif", "A1_02_2_1_DNA_001.tif", "A1_02_1_2_GFP_001.tif"), ["1", "2", "1"]),
    ],
)
def test_the_number_that_does_not_follow_the_channel_is_the_site(names: tuple[str, ...], sites: list[str]) -> None:
    assert [site for _, site, _, _ in read(*names)] == sites


def test_well_channel_and_time() -> None:
    assert read("P1/H12_-1_1_3_Stitched[DAPI 377,447]_002.tif") == [("H12", "3", "Stitched[DAPI 377,447]", "2")]


def test_other_names_are_none() -> None:
    assert read_cytation(Listing(Path(), ("A01_s1_w1.tif",), (), {})) is None
