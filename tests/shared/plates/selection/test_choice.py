"""One file for a plate, well, site and channel: chosen, or refused with two names and the option."""

from __future__ import annotations

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates.layouts.images import PROJECTION, ImageFile
from gandl_shared.plates.selection.choice import choose_files
from gandl_shared.schemas.choice import ImageChoice


def image(name: str, *, plane: str = "", time: str = "", measurement: str = "") -> ImageFile:
    return ImageFile(
        name=name, plates=("P1",), well="A01", site="1", channel="1", plane=plane, time=time, measurement=measurement
    )


PLANES = [image("a.tif", plane="1"), image("b.tif", plane="2"), image("c.tif", plane=PROJECTION)]
TIMES = [image("a.tif", time="1"), image("b.tif", time="2")]
MEASUREMENTS = [image("a.tif", measurement="1"), image("b.tif", measurement="2")]
FOLDERS = [image("P1/a.tif"), image("overlay/P1/a.tif")]
COPIES = [image("a.tif"), image("a (2).tif")]


@pytest.mark.parametrize(
    ("files", "option"),
    [
        (PLANES, "--z max"),
        (TIMES, "--timepoint"),
        (MEASUREMENTS, "--measurement"),
        (FOLDERS, "--subfolder"),
        (COPIES, "copies"),
    ],
)
def test_what_is_open_is_refused_with_two_names_and_the_option(files: list[ImageFile], option: str) -> None:
    with pytest.raises(Invalid, match=option) as caught:
        choose_files(files, ImageChoice())
    assert files[0].name in caught.value.problems[0].detail
    assert files[1].name in caught.value.problems[0].detail


@pytest.mark.parametrize(
    ("files", "choice", "name"),
    [
        (PLANES, ImageChoice(z="2"), "b.tif"),
        (PLANES, ImageChoice(z="projection"), "c.tif"),
        (TIMES, ImageChoice(timepoint="02"), "b.tif"),
        (MEASUREMENTS, ImageChoice(measurement="1"), "a.tif"),
        (FOLDERS, ImageChoice(subfolder="overlay"), "overlay/P1/a.tif"),
        (FOLDERS, ImageChoice(subfolder="P1"), "P1/a.tif"),
    ],
)
def test_a_choice_keeps_one_file(files: list[ImageFile], choice: ImageChoice, name: str) -> None:
    ((file,),) = choose_files(files, choice).files.values()
    assert file.name == name


@pytest.mark.parametrize("z", ["max", "focus"])
def test_a_reduction_takes_the_planes_and_not_the_projection(z: str) -> None:
    (files,) = choose_files(PLANES, ImageChoice(z=z)).files.values()
    assert [file.name for file in files] == ["a.tif", "b.tif"]


def test_a_choice_that_no_file_fits_names_what_there_is() -> None:
    with pytest.raises(Invalid, match="no image has time 7; there are 1, 2; give another --timepoint"):
        choose_files(TIMES, ImageChoice(timepoint="7"))
    with pytest.raises(Invalid, match="no image is below the subfolder 'x'"):
        choose_files(FOLDERS, ImageChoice(subfolder="x"))


def test_one_problem_per_kind_counts_the_others() -> None:
    second = [ImageFile(name=f"2{file.name}", plates=("P1",), well="A02", site="1", time=file.time) for file in TIMES]
    with pytest.raises(Invalid, match=r"\(and 1 more\)") as caught:
        choose_files([*TIMES, *second], ImageChoice())
    assert len(caught.value.problems) == 1
