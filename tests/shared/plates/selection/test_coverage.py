"""Of a published data set, the plates and wells that have images are screened, and the others are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates import parse_plate_map
from gandl_shared.plates.layouts import ImageFile
from gandl_shared.plates.selection import wells_with_images

TEXT = """plate,well,role
P1,A01,positive_control
P1,A02,negative_control
P2,A01,positive_control
P2,A02,negative_control
P2,A03,negative_control
"""
WELLS = replace(parse_plate_map(TEXT, source="metadata.csv"), is_published=True)


def file(plate: str, well: str, *, present: bool = True) -> ImageFile:
    return ImageFile(name=f"{plate}/{well}.png", plates=(plate,), well=well, site="1", present=present)


def test_wells_without_images_are_left_out_and_counted() -> None:
    part = wells_with_images(WELLS, [file("P2", "A01"), file("P2", "A02"), file("P2", "A03", present=False)])
    assert [(well.plate, well.well) for well in part.wells] == [("P2", "A01"), ("P2", "A02")]
    assert part.notes == (
        "1 of 2 plates of metadata.csv have images here; the others are left out",
        "1 well has no image and is left out (1 of plate P2)",
    )


def test_a_complete_folder_changes_nothing() -> None:
    assert wells_with_images(WELLS, [file(well.plate, well.well) for well in WELLS.wells]) is WELLS


def test_no_images_and_no_controls_are_refused() -> None:
    with pytest.raises(Invalid, match="the images are of the plates P9"):
        wells_with_images(WELLS, [file("P9", "A01")])
    with pytest.raises(Invalid, match="have no controls"):
        wells_with_images(WELLS, [file("P1", "A01")])
