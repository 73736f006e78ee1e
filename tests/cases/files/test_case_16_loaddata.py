"""A table for CellProfiler's LoadData as the plate map: its columns name the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.cases.plates import CHANNELS, CaseWell, design, fields, write_images, write_plate_map
from tests.cases.surveys import assert_same_as_written, images_by_well

FILES = tuple(f"FileName_Orig{channel}" for channel in CHANNELS)
WELL = ("Metadata_Plate", "Metadata_Well", "role", "compound", "concentration_um", "cell_line")


def names(well: CaseWell) -> tuple[str, ...]:
    return tuple(f"{well.well}_s1_w{c + 1}.tif" for c in range(2))


STYLES: dict[str, tuple[Sequence[str], Callable[[CaseWell], Sequence[str]]]] = {
    "flat": (FILES, names),
    "path": (
        (*FILES, "PathName_OrigGFP", "PathName_OrigDNA"),
        lambda well: (*names(well), "/home/ubuntu/bucket/P1", "/home/ubuntu/bucket/P1"),
    ),
    "windows": ((*FILES, "PathName_OrigGFP", "PathName_OrigDNA"), lambda well: (*names(well), "D:\\P1", "D:\\P1")),
    "illum": ((*FILES, "FileName_IllumGFP"), lambda well: (*names(well), "P1_IllumGFP.npy")),
    "filemeta": (("file_date",), lambda _: ("2024-05-01",)),
}


@pytest.mark.parametrize("style", STYLES)
def test_the_columns_name_the_files(tmp_path: Path, style: str) -> None:
    columns, cells = STYLES[style]
    folder = "" if style in ("flat", "illum") else "P1/"
    images = write_images(tmp_path / "images", lambda well, c: f"{folder}{well}_s1_w{c + 1}.tif")
    rows = [(*well.row, *cells(well)) for well in design()]
    plate_map = write_plate_map(tmp_path / "load_data.csv", rows, (*WELL, *columns))
    assert_same_as_written(images_by_well(images, plate_map=plate_map))


def test_one_row_per_site(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"{well}_s1_w{c + 1}.tif")
    write_images(images, lambda well, c: f"{well}_s2_w{c + 1}.tif")
    rows = [
        (*well.row, str(site), *(f"{well.well}_s{site}_w{c + 1}.tif" for c in range(2)))
        for well in design()
        for site in (1, 2)
    ]
    plate_map = write_plate_map(tmp_path / "load_data.csv", rows, (*WELL, "Metadata_Site", *FILES))
    assert_same_as_written(images_by_well(images, plate_map=plate_map))


def test_a_path_decides_between_files_of_one_name(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"P1/{well}_{c}.tif")
    write_images(images, lambda well, c: f"{well}_{1 - c}.tif")
    header = (*WELL, *FILES, "PathName_OrigGFP", "PathName_OrigDNA")
    rows = [(*well.row, f"{well.well}_0.tif", f"{well.well}_1.tif", "/x/P1", "/x/P1") for well in design()]
    by_well = images_by_well(images, plate_map=write_plate_map(tmp_path / "load_data.csv", rows, header))
    np.testing.assert_array_equal(by_well["A01"], fields()["A01"])
