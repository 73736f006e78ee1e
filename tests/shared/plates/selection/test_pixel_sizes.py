"""One size of a pixel for all wells of a screen."""

from __future__ import annotations

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.selection.choice import FieldChannel
from gandl_shared.plates.selection.pixel_sizes import check_pixel_sizes


def files(**sizes: float | None) -> dict[FieldChannel, list[ImageFile]]:
    return {
        ("P1", well, "1", "1"): [
            ImageFile(name=f"{well}.tif", plates=("P1",), well=well, site="1", channel="1", pixel_size_um=size)
        ]
        for well, size in sizes.items()
    }


def test_the_size_that_all_wells_share_is_returned() -> None:
    assert check_pixel_sizes(files(A01=0.325, A02=0.325, A03=0.3251)) == 0.325
    assert check_pixel_sizes(files(A01=None)) is None


def test_a_well_of_another_size_is_named() -> None:
    with pytest.raises(Invalid, match="well A03 of plate P1 has pixels of 0.65 µm, the others of 0.325 µm"):
        check_pixel_sizes(files(A01=0.325, A02=0.325, A03=0.65))
