"""The table of a published data set lies beside or above its images, and only a table in its form counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import BadInput
from gandl_shared.plates import find_table, parse_plate_map, read_plate_map

from tests.shared.plates.map_table.published.tables import small_rxrx19a, write


def test_the_table_lies_above_the_images(tmp_path: Path) -> None:
    plate = tmp_path / "images/HRCE-1/Plate1"
    plate.mkdir(parents=True)
    assert find_table(plate) is None
    table = write(tmp_path / "metadata.csv", small_rxrx19a())
    for folder in (plate, plate.parent, plate.parent.parent, tmp_path):
        assert find_table(folder) == table
    assert find_table(tmp_path / "absent") is None


def test_a_table_of_something_else_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "metadata.csv", "plate,well,role\nP1,A01,dmso\n")
    assert find_table(tmp_path) is None


def test_a_plate_map_of_a_user_has_its_own_controls(tmp_path: Path) -> None:
    text = "plate,well,role\nP1,A01,positive_control\nP1,A02,dmso\n"
    assert not parse_plate_map(text, source="map.csv").is_published
    with pytest.raises(BadInput, match="write the role into the plate map"):
        read_plate_map(write(tmp_path / "map.csv", text), positive=("mock",))
