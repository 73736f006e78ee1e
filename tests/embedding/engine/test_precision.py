"""How near two tables of vectors are, and the check of a precision that is kept beside a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_embedding.engine import Precision, agreement, check_file, read_check, varied_tiles
from gandl_shared.clients.wire import Agreement, PrecisionCheck

CHECK = PrecisionCheck(
    model_id="a" * 64,
    precision="bfloat16",
    processor="A Processor",
    screen="bbbc013",
    tiles=10,
    agreement=Agreement(relative_max=0.01, cosine_min=0.9999),
    z_prime={"U2OS": 0.731},
    z_prime_of_file={"U2OS": 0.736},
    speed=2.1,
)


def test_agreement_is_that_of_the_worst_row() -> None:
    reference = np.array([[3, 4], [1, 0]], np.float32)
    worst = agreement(np.array([[3, 4], [0.6, 0.8]], np.float32), reference)
    assert worst.cosine_min == pytest.approx(0.6)
    assert worst.relative_max == pytest.approx(np.sqrt(0.16 + 0.64))
    assert agreement(reference, reference) == Agreement(relative_max=0, cosine_min=1)


def test_tiles_reach_from_black_to_white() -> None:
    tiles = varied_tiles(3, 8)
    assert (tiles.shape, tiles.dtype) == ((12, 3, 8, 8), np.uint8)
    assert (tiles[-2].max(), tiles[-1].min()) == (0, 255)


def test_a_check_is_read_for_its_own_model_and_precision_only(tmp_path: Path) -> None:
    model = tmp_path / "m.onnx"
    assert read_check(model, "a" * 64, Precision.BFLOAT16) is None
    check_file(model).write_text(CHECK.model_dump_json())
    assert check_file(model).name == "m.precision.json"
    assert read_check(model, "a" * 64, Precision.BFLOAT16) == CHECK
    assert read_check(model, "b" * 64, Precision.BFLOAT16) is None
    check_file(model).write_text("{}")
    assert read_check(model, "a" * 64, Precision.BFLOAT16) is None
