"""The proof of parity: models that differ from torch, or whose vectors depend on their batch, are refused."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from gandl_shared.errors import TrainingFailed
from gandl_training.export.parity import check_parity, onnx_session, relative_difference
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn


class Sums(nn.Module):
    """The sum of each channel over the pixels, [N, C, H, W] → [N, C]."""

    def forward(self, images: Tensor) -> Tensor:
        return images.float().sum((2, 3))


def sums_model(*, factor: float = 1.0, minus_batch_mean: bool = False) -> onnx.ModelProto:
    """Return `Sums` times a factor as ONNX; with `minus_batch_mean` each vector depends on its batch."""
    nodes = [
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["float", "axes"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "factor"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled", "first"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "share"], ["part"]),
        helper.make_node("Sub", ["scaled", "part"], ["embedding"]),
    ]
    constants = {
        "axes": np.array([2, 3], np.int64),
        "first": np.array([0], np.int64),
        "factor": np.float32(factor),
        "share": np.float32(1e-3 * minus_batch_mean),
    }
    graph = helper.make_graph(
        nodes,
        "sums",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 2, 4, 4])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


@pytest.fixture
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (12, 2, 4, 4), np.uint8)


def test_a_session_runs_the_model(images: NDArray[np.uint8]) -> None:
    assert np.array_equal(onnx_session(sums_model())(images), images.sum((2, 3), dtype=np.float32))


def test_equal_models_have_parity(images: NDArray[np.uint8]) -> None:
    parity = check_parity(Sums(), sums_model(), images, 1e-6)
    assert (parity.images, parity.torch_max, parity.batch_max) == (12, 0.0, 0.0)


def test_a_model_that_differs_from_torch_is_refused(images: NDArray[np.uint8]) -> None:
    parity = check_parity(Sums(), sums_model(factor=1.01), images, 0.011)
    assert parity.torch_max == pytest.approx(0.01, rel=1e-3)
    with pytest.raises(TrainingFailed, match="does not agree with torch or depends on the batch: .*limits are 0.005"):
        check_parity(Sums(), sums_model(factor=1.01), images, 0.005)
    with pytest.raises(TrainingFailed):
        check_parity(Sums(), sums_model(factor=float("nan")), images, 0.005)


def test_vectors_that_depend_on_their_batch_are_refused(images: NDArray[np.uint8]) -> None:
    with pytest.raises(TrainingFailed, match="depends on the batch"):
        check_parity(Sums(), sums_model(minus_batch_mean=True), images, 1.0)


def test_the_difference_is_the_largest_over_vectors() -> None:
    reference = np.array([[3.0, 4.0], [0.0, 2.0]], np.float32)
    vectors = np.array([[3.0, 4.0], [0.0, 1.0]], np.float32)
    assert relative_difference(vectors, reference) == 0.5
