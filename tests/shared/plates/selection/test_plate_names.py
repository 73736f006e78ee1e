"""Which plate a file belongs to, by the names in folders, indexes and files."""

from __future__ import annotations

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.selection.plate_names import assign_plates, spelling


def image(*plates: str, named: bool = True) -> ImageFile:
    return ImageFile(name="a.tif", plates=plates, well="A01", site="1", named=named)


def test_the_plate_map_decides_between_the_names_of_a_plate() -> None:
    files = assign_plates([image("2024-05-01", "S7"), image("S8")], ["S7", "S8"])
    assert [file.plates for file in files] == [("S7",), ("S8",)]


def test_each_plate_without_images_is_told_once() -> None:
    with pytest.raises(Invalid) as caught:
        assign_plates([image("S7"), image("s8")], ["S7", "S8", "S9"])
    assert [problem.detail.split(";")[0] for problem in caught.value.problems] == [
        "the plate map says 'S8', the images say 's8'",
        "the plate map has plate 'S9', the images are of 's8'",
    ]


def test_folders_that_name_no_plate_leave_the_only_one() -> None:
    assert assign_plates([image("Images", named=False)], ["S7"])[0].plates == ("S7",)
    assert assign_plates([image()], ["S7"])[0].plates == ("S7",)


def test_a_named_plate_that_is_not_in_the_map_is_refused() -> None:
    with pytest.raises(Invalid, match="the plate map has plate 'S7', the images are of 'S9'"):
        assign_plates([image("S9")], ["S7"])


@pytest.mark.parametrize(("in_map", "in_images"), [("p1", "P1"), ("Plate 7", "plate_7"), ("42", "0042")])
def test_another_spelling_is_told_with_both(in_map: str, in_images: str) -> None:
    with pytest.raises(Invalid, match=f"the plate map says '{in_map}', the images say '{in_images}'"):
        assign_plates([image(in_images)], [in_map])


def test_without_a_name_several_plates_cannot_be_told_apart() -> None:
    with pytest.raises(Invalid, match="nothing names the plate of the images, and the plate map has 2 plates"):
        assign_plates([image()], ["S7", "S8"])


def test_spellings_fold_case_blanks_and_leading_zeros() -> None:
    assert spelling("Plate_07") == spelling("plate 07")
    assert spelling("0042") == spelling("42")
    assert spelling("P1") != spelling("P2")
