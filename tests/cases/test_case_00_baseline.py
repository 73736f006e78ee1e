"""Case 00: the plate itself, counts of 12 bit, under the limits of a model that was trained on images of 8 bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.cases import plates
from tests.cli.command_line import Gandl

MODEL = Path(__file__).parents[2] / "models" / "gandl-bbbc013-64.onnx"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Four wells of the plate."""
    for well, field in list(plates.fields().items())[:4]:
        for channel in (0, 1):
            plates.write_tiff(tmp_path / f"images/P1/{well}_s1_w{channel + 1}.tif", field[channel])
    return tmp_path / "images"


def test_counts_that_the_card_cuts_off_are_refused_with_their_share_and_the_remedy(
    gandl: Gandl, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "v.parquet"
    ended = gandl("embed", images, "--model", MODEL, "--out", out)
    message = " ".join(ended.err.split())
    assert ended.code == 2 and not out.exists()
    assert "% of channel GFP" in message and "lie outside the limits" in message
    assert "images of 12 bit" in message and "--limits plate" in message and "--allow-clipping" in message


def test_clipping_can_be_allowed_and_its_share_is_told(gandl: Gandl, images: Path, tmp_path: Path) -> None:
    ended = gandl("embed", images, "--model", MODEL, "--out", tmp_path / "v.parquet", "--allow-clipping")
    assert ended.code == 0
    assert "P1: pixels outside the limits of the model card: GFP " in " ".join(ended.err.split())


def test_the_limits_of_the_plate_fit_its_counts(gandl: Gandl, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "v.parquet"
    assert gandl("embed", images, "--model", MODEL, "--out", out, "--limits", "plate").code == 0
    table = pq.read_table(out)
    vectors = np.column_stack([table[name] for name in table.column_names if name.startswith("gandl_")])
    assert len(np.unique(vectors, axis=0)) == len(vectors) == 4


def test_a_screen_by_the_card_is_refused_before_anything_is_embedded(
    gandl: Gandl, images: Path, tmp_path: Path
) -> None:
    """Six wells are enough for the plan; nothing is written."""
    plate_map = plates.write_plate_map(
        tmp_path / "platemap.csv",
        [well.row for well in plates.design() if (images / f"P1/{well.well}_s1_w1.tif").exists()],
    )
    arguments = ("screen", images, "--platemap", plate_map, "--model", MODEL, "--out", tmp_path / "out")
    ended = gandl(*arguments, "--limits", "card")
    assert ended.code == 2
    assert not (tmp_path / "out").exists()
