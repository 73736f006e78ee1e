"""`gandl finetune`, as a user types it."""

from __future__ import annotations

from pathlib import Path

from tests.cases import plates
from tests.cli.command_line import Gandl


def test_a_label_that_is_no_column_is_refused(gandl: Gandl, tmp_path: Path) -> None:
    images, plate_map = plates.write_images(tmp_path / "Images"), plates.write_plate_map(tmp_path / "map.csv")
    ended = gandl(
        "finetune", images, "--platemap", plate_map, "--label", "moa", "--out", tmp_path / "m.onnx", "--steps", "1"
    )
    assert ended.code == 2
    assert "no column moa; it has cell_line, compound, role" in ended.err
    assert not (tmp_path / "m.onnx").exists()
