"""`gandl models A B --images …`: featurizers side by side on one screen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gandl.released_models import released_model
from onnx import numpy_helper


def rounded(model: Path, out: Path) -> Path:
    """A copy whose weights are a little coarser, as a smaller precision would make them."""
    graph = onnx.load(model)
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 4:
            step = np.abs(values).max() / 127
            tensor.CopyFrom(numpy_helper.from_array(np.round(values / step) * step, tensor.name))
    onnx.save(graph, out)
    return out


def test_models_are_compared_on_a_plate(gandl: Callable[..., Any], bbbc013: Path, tmp_path: Path) -> None:
    first = Path(shutil.copy(released_model("gandl-bbbc013-64"), tmp_path / "first.onnx"))
    second = rounded(first, tmp_path / "second.onnx")
    plate = ("--images", bbbc013 / "images", "--platemap", bbbc013 / "platemap.csv")
    done = gandl("models", first, second, *plate, "--json")
    assert done.returncode == 0, done.stderr
    a, b = json.loads(done.stdout)
    assert (a["file"], a["smallest_cosine_to_first"]) == (str(first), None)
    assert 0.9 < b["smallest_cosine_to_first"] < 1 - 1e-7
    for model in (a, b):
        assert model["cell_lines"]["U2OS"]["accuracy"] > 0.9
        assert model["tiles_per_second"] > 0
        assert model["kilobytes"] == round(Path(model["file"]).stat().st_size / 1000)
