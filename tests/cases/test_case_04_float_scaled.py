"""Case 04: images of 32-bit floats, such as counts after illumination correction or as fractions of the full range."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_shared.imaging import Preprocessing, prepare_field, read_site, sampled_limits

from tests.cases import plates
from tests.cli.command_line import Gandl


@pytest.mark.parametrize("factor", [1.0, 1 / 65535, 1 / 4095, 5 / 65535, 1e-6, 1e6])
def test_a_plate_of_floats_gives_the_fields_of_its_counts(tmp_path: Path, factor: float) -> None:
    """The vectors are functions of these fields, so that the curve is the baseline's too."""
    expected, scaled = (_prepared(tmp_path / str(unit), unit) for unit in (None, factor))
    differences = np.abs(scaled.astype(int) - expected)
    assert differences.max() <= 1
    assert differences.mean() < 0.001


def test_fractions_of_1_under_the_card_of_8_bit_images_are_refused(gandl: Gandl, tmp_path: Path) -> None:
    """They would be four of 256 grey levels, and all vectors nearly one."""
    for well, field in list(plates.fields().items())[:4]:
        for channel in (0, 1):
            plane = (field[channel] / 65535).astype(np.float32)
            plates.write_tiff(tmp_path / f"images/P1/{well}_s1_w{channel + 1}.tif", plane)
    model = Path(__file__).parents[2] / "models" / "gandl-bbbc013-64.onnx"
    ended = gandl("embed", tmp_path / "images", "--model", model, "--out", tmp_path / "v.parquet")
    assert ended.code == 2
    assert "--limits plate" in " ".join(ended.err.split())


def _prepared(folder: Path, factor: float | None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return the fields [W, 2, H, W] of some wells as a model sees them, under the limits of these wells."""
    names = list(plates.fields())[:8]
    files = [[folder / f"{well}_w{channel}.tif" for channel in (1, 2)] for well in names]
    for well, paths in zip(names, files, strict=True):
        for plane, path in zip(plates.fields()[well], paths, strict=True):
            plates.write_tiff(path, plane if factor is None else (plane * factor).astype(np.float32))
    preprocessing = Preprocessing(limits=sampled_limits(files, downscale=2), size=64, downscale=2)
    return np.stack([prepare_field(read_site(paths), preprocessing) for paths in files])
