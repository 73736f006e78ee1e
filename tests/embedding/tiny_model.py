"""A featurizer of a few kilobytes, made in a moment: uint8 tiles → strided convolution → 512 numbers, with a card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from gandl_shared.models import METADATA_KEY, Channel, ModelCard, TrainingRecord
from onnx import TensorProto, helper, numpy_helper

FEATURES = 512


def tiny_card(name: str = "tiny", channels: int = 2, size: int = 16, downscale: int = 2) -> ModelCard:
    """A valid card; the limits of channel i are i and 200 + i."""
    return ModelCard(
        name=name,
        channels=tuple(Channel(name=f"C{i}", low=float(i), high=200.0 + i) for i in range(channels)),
        size=size,
        downscale=downscale,
        features=FEATURES,
        tap="fc",
        parameters=FEATURES * (channels * 16 + 1),
        training=TrainingRecord(data="random weights", licence="none", kimg=0, seed=0, command="none", version="0"),
    )


def tiny_graph(
    channels: int = 2, size: int = 16, *, features: int = FEATURES, dtype: int = TensorProto.UINT8
) -> onnx.ModelProto:
    """cast → conv 4×4 stride 4 → leaky ReLU → mean over the map, random fixed weights."""
    rng = np.random.default_rng(7)
    weight = rng.normal(0, 0.05, (features, channels, 4, 4)).astype(np.float32)
    bias = rng.normal(0, 1, features).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["x", "weight", "bias"], ["maps"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("LeakyRelu", ["maps"], ["active"], alpha=0.2),
        helper.make_node("ReduceMean", ["active", "axes"], ["embedding"], keepdims=0),
    ]
    initializers = [
        numpy_helper.from_array(weight, "weight"),
        numpy_helper.from_array(bias, "bias"),
        numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
    ]
    images = helper.make_tensor_value_info("images", dtype, ["batch", channels, size, size])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", features])
    graph = helper.make_graph(nodes, "tiny", [images], [embedding], initializers)
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    model.ir_version = 10
    return model


def write_model(path: Path, graph: onnx.ModelProto, card: ModelCard | str | None) -> Path:
    """Write `graph` with `card` (or any text, or nothing) as its metadata."""
    if card is not None:
        text = card if isinstance(card, str) else card.model_dump_json()
        helper.set_model_props(graph, {METADATA_KEY: text})
    path.write_bytes(graph.SerializeToString())
    return path


def tiny_model(path: Path, channels: int = 2, size: int = 16, downscale: int = 2) -> Path:
    """A complete, valid model file; its card's name is the file's."""
    return write_model(path, tiny_graph(channels, size), tiny_card(path.stem, channels, size, downscale))
