"""Models compared on one screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl.screening.model_comparison import ModelOnScreen, compare_models, smallest_cosine, tiles_per_second
from gandl_embedding.engine import Engine
from gandl_shared.testing import Layout, write_plate

from tests.embedding.fixtures.tiny_model import tiny_model


def test_cosine_of_vectors() -> None:
    one = np.array([[1, 0], [0, 2]], np.float32)
    assert smallest_cosine(one, 3 * one) == pytest.approx(1)
    assert smallest_cosine(one, np.array([[1, 1], [0, 1]], np.float32)) == pytest.approx(2**-0.5)
    assert smallest_cosine(one, np.zeros((2, 2), np.float32)) == 0
    assert smallest_cosine(one, np.zeros((2, 3), np.float32)) is None


def test_each_model_screens_the_plate_and_is_compared_with_the_first(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "plate", Layout(rows="ABCD", columns=4))
    tiny_model(tmp_path / "a.onnx")
    tiny_model(tmp_path / "b.onnx")
    engines = {path: Engine.load(path) for path in sorted(tmp_path.glob("*.onnx"))}
    first, second, baseline = compare_models(engines, plate.images, plate.platemap, ["intensity"])
    assert isinstance(first, ModelOnScreen)
    assert (first.path.name, first.cosine) == ("a.onnx", None)
    assert second.cosine == pytest.approx(1)
    assert first.quality == second.quality and list(first.quality) == ["U2OS"]
    assert first.kilobytes == round((tmp_path / "a.onnx").stat().st_size / 1000)
    assert (baseline.name, baseline.path, baseline.kilobytes) == ("intensity", None, None)
    assert tiles_per_second(engines[tmp_path / "a.onnx"]) > 0
