"""Smaller precisions: how far they are from float32, what they quantise, and that inputs and outputs stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
import torch
from gandl_shared.errors import BadInput
from gandl_training.export.onnx_export import to_onnx
from gandl_training.export.parity import onnx_session, relative_difference
from gandl_training.export.precision import MAX_DIFFERENCE, Precision, convert, parse_precision
from gandl_training.networks.feature_layer import FeatureLayer, Featurizer
from gandl_training.networks.stylegan2 import Discriminator
from numpy.typing import NDArray

from tests.training.small_run import TINY


def test_names_are_checked() -> None:
    assert [parse_precision(name) for name in ("float32", "float16")] == list(Precision)
    with pytest.raises(BadInput, match="unknown precision 'int8'; use one of float32, float16$"):
        parse_precision("int8")


@pytest.fixture(scope="module")
def tiles() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (40, 2, 16, 16), np.uint8)


@pytest.fixture(scope="module")
def model(tiles: NDArray[np.uint8]) -> onnx.ModelProto:
    torch.manual_seed(0)
    return to_onnx(Featurizer(Discriminator(TINY), FeatureLayer.FC), torch.from_numpy(tiles[:3]), "images", "embedding")


def weight_types(model: onnx.ModelProto) -> Sequence[int]:
    """Return the types of the kernels of the convolutions."""
    return [tensor.data_type for tensor in model.graph.initializer if len(tensor.dims) == 4]


def test_float32_is_the_model_itself(model: onnx.ModelProto, tiles: NDArray[np.uint8]) -> None:
    assert convert(model, Precision.FLOAT32) is model


@pytest.mark.parametrize(
    ("precision", "weight_type"),
    [(Precision.FLOAT16, onnx.TensorProto.FLOAT16)],
)
def test_weights_are_smaller_and_vectors_are_near(
    model: onnx.ModelProto, tiles: NDArray[np.uint8], precision: Precision, weight_type: int
) -> None:
    smaller = convert(model, precision)
    assert weight_type in weight_types(smaller)
    assert smaller.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert smaller.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    difference = relative_difference(onnx_session(smaller)(tiles), onnx_session(model)(tiles))
    assert 0 < difference < MAX_DIFFERENCE[precision]
