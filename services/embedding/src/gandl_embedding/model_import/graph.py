"""The graph around a foreign network: uint8 tiles become its input, and its output becomes one vector per tile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gandl_embedding.model_import.card import ChannelMode, ImportCard, Pooling
from gandl_embedding.model_import.source import ForeignModel

PREFIX = "gandl_import_"
"""The names of everything that is added begin with this, so that they meet no name of the network."""
OPSET_OF_AXES_INPUT = 18
"""From this opset on, ReduceMean takes its axes as an input."""


class _Chain:
    """Nodes one after another, each with the output of the one before it as its first input."""

    def __init__(self, start: str, part: str) -> None:
        self.end = start
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._part = PREFIX + part

    def add(self, operator: str, *constants: NDArray[np.generic] | None, **attributes: Any) -> None:
        """Append an operator with constants as its further inputs; None stands for an input that is left out."""
        names = ["" if each is None else self._constant(each) for each in constants]
        self._append(operator, [self.end, *names], attributes)

    def repeat(self, count: int) -> None:
        """Append copies of the only channel, so that there are `count`."""
        self._append("Concat", [self.end] * count, {"axis": 1})

    def _append(self, operator: str, inputs: Sequence[str], attributes: dict[str, Any]) -> None:
        output = f"{self._part}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        self.end = output

    def _constant(self, values: NDArray[np.generic]) -> str:
        name = f"{self._part}_constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name


def featurizer_graph(model: ForeignModel, card: ImportCard, output: str) -> onnx.ModelProto:
    """Return a model `images` uint8 [N, C, S, S] → `embedding` float32 [N, features] around the network."""
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    graph = proto.graph
    before, after = _preparation(model, card), _pooled(model, card, output)
    before.nodes.append(helper.make_node("Identity", [before.end], [model.input_name], name=PREFIX + "input"))
    after.nodes.append(helper.make_node("Identity", [after.end], [PREFIX + "embedding"], name=PREFIX + "output"))
    nodes = [*before.nodes, *graph.node, *after.nodes]
    del graph.node[:], graph.input[:], graph.output[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*before.constants, *after.constants])
    shape: list[str | int | None] = [PREFIX + "batch", len(card.channels), card.size, card.size]
    graph.input.append(helper.make_tensor_value_info(PREFIX + "images", TensorProto.UINT8, shape))
    vector: list[str | int | None] = [PREFIX + "batch", card.features]
    graph.output.append(helper.make_tensor_value_info(PREFIX + "embedding", TensorProto.FLOAT, vector))
    for part in (graph, *graph.node, *proto.functions):
        del part.metadata_props[:]  # exporters write the paths of their machine there
    return proto


def prepared_input(tiles: NDArray[np.uint8], model: ForeignModel, card: ImportCard) -> NDArray[np.generic]:
    """Return what the network gets for tiles [N, C, S, S], computed without ONNX for the check of parity."""
    x = tiles.astype(np.float64)
    if card.channel_mode is ChannelMode.SEPARATE:
        x = x.reshape(-1, 1, card.size, card.size).repeat(model.channels, axis=1)
    if card.edge != card.size:
        weights = interpolation(card.size, card.edge)
        x = weights @ x @ weights.T
    if card.input_type == "uint8":
        return np.clip(np.rint(x), 0, 255).astype(np.uint8)
    x = x / 255 * card.maximum
    if card.mean is not None and card.deviation is not None:
        x = (x - _per_channel(card.mean, np.float64)) / _per_channel(card.deviation, np.float64)
    return x.astype(helper.tensor_dtype_to_np_dtype(model.input_type))


def pooled(output: NDArray[np.generic], card: ImportCard) -> NDArray[np.float64]:
    """Return the vectors [N, features] of an output of the network, computed without ONNX."""
    y = output.astype(np.float64)
    match card.pooling:
        case Pooling.CLS:
            y = y[:, 0]
        case Pooling.TOKENS:
            y = y[:, card.prefix_tokens :].mean(axis=1)
        case Pooling.SPACE:
            y = y.mean(axis=(2, 3))
        case Pooling.NONE:
            pass
    return y.reshape(-1, card.features)


def interpolation(size: int, edge: int) -> NDArray[np.float64]:
    """Return the weights [edge, size] of linear interpolation between pixel centres; the ends are repeated."""
    positions = np.clip((np.arange(edge) + 0.5) * size / edge - 0.5, 0, size - 1)
    lower = np.minimum(positions.astype(int), size - 2)
    weights = np.zeros((edge, size))
    weights[np.arange(edge), lower] = 1 - (positions - lower)
    weights[np.arange(edge), lower + 1] = positions - lower
    return weights


def _preparation(model: ForeignModel, card: ImportCard) -> _Chain:
    chain = _Chain(PREFIX + "images", "before")
    chain.add("Cast", to=TensorProto.FLOAT)
    if card.channel_mode is ChannelMode.SEPARATE:
        chain.add("Reshape", np.array([-1, 1, card.size, card.size], np.int64))
        chain.repeat(model.channels)
    if card.edge != card.size:
        _add_resize(chain, card)
    if card.input_type == "uint8":
        chain.add("Round")
    else:
        chain.add("Mul", np.array(card.maximum / 255, np.float32))
        if card.mean is not None and card.deviation is not None:
            chain.add("Sub", _per_channel(card.mean, np.float32))
            chain.add("Div", _per_channel(card.deviation, np.float32))
    chain.add("Cast", to=model.input_type)
    return chain


def _add_resize(chain: _Chain, card: ImportCard) -> None:
    scale = np.float32(card.edge / card.size)
    # The operator rounds the product down, and a factor that float32 rounded down would lose a row of pixels.
    while np.float32(card.size) * scale < card.edge:
        scale = np.nextafter(scale, np.float32(np.inf))
    chain.add(
        "Resize",
        None,
        np.array([1, 1, scale, scale], np.float32),
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )


def _pooled(model: ForeignModel, card: ImportCard, output: str) -> _Chain:
    chain = _Chain(output, "after")
    chain.add("Cast", to=TensorProto.FLOAT)
    match card.pooling:
        case Pooling.CLS:
            chain.add("Gather", np.array(0, np.int64), axis=1)
        case Pooling.TOKENS:
            starts, ends, axes = ([value] for value in (card.prefix_tokens, np.iinfo(np.int64).max, 1))
            chain.add("Slice", *(np.array(each, np.int64) for each in (starts, ends, axes)))
            _add_mean(chain, [1], model.opset)
        case Pooling.SPACE:
            _add_mean(chain, [2, 3], model.opset)
        case Pooling.NONE:
            pass
    chain.add("Reshape", np.array([-1, card.features], np.int64))
    return chain


def _add_mean(chain: _Chain, axes: list[int], opset: int) -> None:
    if opset < OPSET_OF_AXES_INPUT:
        chain.add("ReduceMean", axes=axes, keepdims=0)
    else:
        chain.add("ReduceMean", np.array(axes, np.int64), keepdims=0)


def _per_channel(values: Sequence[float], kind: type[np.floating]) -> NDArray[np.floating]:
    return np.array(values, kind)[None, :, None, None]
