"""Plates as gandl writes them: ome-zarr-py reads wells, channels and pyramids, and zarr every pixel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import zarr
from gandl_shared.imaging.ome_zarr.writer import PlateDescription, PlateWriter, pyramid

from tests.shared.ome_zarr_plates import FIELDS, write_plate
from tests.shared.ome_zarr_py import nodes


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_ome_zarr_py_reads_the_plate(tmp_path: Path, zarr_format: int) -> None:
    folder = write_plate(tmp_path / "P1.zarr", zarr_format)
    node = nodes(folder)[0]
    assert "Plate" in [type(spec).__name__ for spec in node.specs]
    # It lays the first field of each well out in the grid of the plate, here of 2 × 3 wells.
    grid = np.asarray(node.data[0])
    assert grid.shape[-2:] == (2 * 300, 3 * 260)
    np.testing.assert_array_equal(grid[0, :, 0, 300:, 520:], FIELDS[2, 0])
    image = nodes(folder / "A/1/0")[0]
    assert image.metadata["channel_names"] == ["GFP", "DNA"]
    assert image.metadata["contrast_limits"] == [[0.0, 4000.0], [10.0, 3000.0]]
    assert [level.shape[-2:] for level in image.data] == [(300, 260), (150, 130)]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_values_of_a_well_are_in_its_attributes(tmp_path: Path, zarr_format: int) -> None:
    folder = write_plate(tmp_path / "P1.zarr", zarr_format)
    well = zarr.open_group(folder / "A/1", mode="r", zarr_format=zarr_format)
    assert well.attrs["gandl"] == {"role": "positive_control"}
    assert zarr.open_group(folder, mode="r", zarr_format=zarr_format)["A/1/0/0"].shape == (1, 2, 1, 300, 260)


def test_a_pyramid_holds_means_of_the_same_type() -> None:
    field = FIELDS[0, 0][:, :, :257]
    levels = pyramid(field)
    assert [level.shape for level in levels] == [(2, 300, 257), (2, 150, 128)]
    assert levels[0] is field
    means = field[:, :300, :256].reshape(2, 150, 2, 128, 2).mean(axis=(2, 4))
    np.testing.assert_array_equal(levels[1], np.rint(means).astype(np.uint16))


def test_empty_chunks_are_written_and_a_plate_has_its_real_size(tmp_path: Path) -> None:
    description = PlateDescription(name="P", channels=("DNA",), windows=((0.0, 1.0),), wells={"H12": 1})
    PlateWriter(tmp_path, description, zarr_format=2).write_field("H12", 1, np.zeros((1, 20, 20), np.float32))
    assert (tmp_path / "H/12/0/0/0/0/0/0/0").is_file()
    plate = json.loads((tmp_path / ".zattrs").read_text())["plate"]
    assert (len(plate["rows"]), len(plate["columns"]), plate["wells"][0]["path"]) == (8, 12, "H/12")
