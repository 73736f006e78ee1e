"""A foreign ONNX file, with all its weights: one that could not run everywhere or reads other folders is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import onnx
from gandl_shared.errors import InvalidModel
from gandl_shared.models import METADATA_KEY
from google.protobuf.message import DecodeError
from onnx import AttributeProto, TensorProto, checker, external_data_helper

from gandl_embedding.engine import MAX_MODEL_BYTES, read_model_file

STANDARD_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
MIN_OPSET = 11
INPUT_TYPES = {TensorProto.FLOAT: "float", TensorProto.FLOAT16: "float", TensorProto.UINT8: "uint8"}


@dataclass(frozen=True, kw_only=True)
class ForeignModel:
    """A checked model with all its weights inside.

    `input_name` is [N, channels, edge, edge] of element type `input_type` (onnx); `edge` is None where it is free.
    """

    name: str
    proto: onnx.ModelProto
    input_name: str
    input_type: int
    channels: int
    edge: int | None
    outputs: tuple[str, ...]

    @property
    def opset(self) -> int:
        """The version of the standard operators."""
        return next(int(each.version) for each in self.proto.opset_import if each.domain in ("", "ai.onnx"))

    @property
    def precision(self) -> str:
        """The type of its arithmetic as its input says it; a network of uint8 input computes in float32 or less."""
        return "float16" if self.input_type == TensorProto.FLOAT16 else "float32"


def read_foreign_model(path: Path) -> ForeignModel:
    """Read and check a model. Raises NotFound, and InvalidModel with the reason and what to do."""
    proto = _parsed(read_model_file(path), path.name)
    if METADATA_KEY in {each.key for each in proto.metadata_props}:
        raise InvalidModel(f"{path.name} is a featurizer of gandl already; use it as it is")
    _check_operators(proto, path.name)
    _load_weights(proto, path)
    try:
        checker.check_model(proto)
    except (checker.ValidationError, ValueError) as error:
        raise InvalidModel(f"{path.name} is not valid ONNX: {str(error).splitlines()[0]}") from error
    return _with_input(proto, path.name)


def _parsed(content: bytes, name: str) -> onnx.ModelProto:
    try:
        proto = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise InvalidModel(f"{name} is not an ONNX model: it is damaged, cut off or of another kind") from error
    if not proto.graph.node:
        raise InvalidModel(f"{name} is not an ONNX model: it has no operators")
    return proto


def _check_operators(proto: onnx.ModelProto, name: str) -> None:
    """Raise InvalidModel for an operator that plain ONNX Runtime does not have, and for an old set of operators."""
    local = {(function.domain, function.name) for function in proto.functions}
    bodies = [proto.graph.node, *(function.node for function in proto.functions)]
    custom = {
        f"{node.domain}.{node.op_type}"
        for body in bodies
        for node in _nodes(body)
        if node.domain not in STANDARD_DOMAINS and (node.domain, node.op_type) not in local
    }
    if custom:
        raise InvalidModel(
            f"{name} has operators outside the standard of ONNX: {', '.join(sorted(custom))}; export it again without "
            "the optimisations of one runtime"
        )
    versions = [int(each.version) for each in proto.opset_import if each.domain in ("", "ai.onnx")]
    if not versions or versions[0] < MIN_OPSET:
        raise InvalidModel(
            f"{name} has operators of opset {versions[0] if versions else 'unknown'}; "
            f"export it again with opset {MIN_OPSET} or later, such as 17"
        )


def _nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Yield the nodes with those of their inner graphs, such as the branches of `If`."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [inner for graph in _inner_graphs(node) for inner in graph.node]


def _inner_graphs(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    graphs = [each.g for each in node.attribute if each.type == AttributeProto.GRAPH]
    return [*graphs, *(graph for each in node.attribute for graph in each.graphs)]


def _tensors(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield the weights of the graph and of inner graphs, and the constants of operators."""
    yield from proto.graph.initializer
    for body in (proto.graph.node, *(function.node for function in proto.functions)):
        for node in _nodes(body):
            for graph in _inner_graphs(node):
                yield from graph.initializer
            for attribute in node.attribute:
                yield from (attribute.t, *attribute.tensors)


def _load_weights(proto: onnx.ModelProto, path: Path) -> None:
    """Put weights from other files into the model. Raises InvalidModel for a file that is not in the model's folder."""
    folder = path.resolve().parent
    total = proto.ByteSize()
    for tensor in _tensors(proto):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        entries = {each.key: each.value for each in tensor.external_data}
        location, size = entries.get("location", ""), entries.get("length", "0")
        if "\0" in location or not size.isdecimal():
            raise InvalidModel(f"{path.name} names weights that cannot be read ({location!r}, {size!r} bytes)")
        weights, length = _inside(folder, location, path.name), int(size)
        total += length or weights.stat().st_size
        if total > MAX_MODEL_BYTES:
            raise InvalidModel(f"{path.name} has more than 2 GiB of weights, which one ONNX file cannot hold")
        try:
            external_data_helper.load_external_data_for_tensor(tensor, str(folder))
        except (OSError, ValueError, checker.ValidationError) as error:
            raise InvalidModel(f"{path.name}: its weights in {location} cannot be read: {error}") from error
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _inside(folder: Path, location: str, name: str) -> Path:
    parts = PurePosixPath(location.replace("\\", "/"))
    resolved = (folder / location).resolve()
    if not location or parts.is_absolute() or ".." in parts.parts or not resolved.is_relative_to(folder):
        raise InvalidModel(f"{name} names weights outside its own folder ({location!r}), which are not read")
    if not resolved.is_file():
        raise InvalidModel(f"{name} keeps weights in {location}, which is not beside it; copy this file there too")
    return resolved


def _with_input(proto: onnx.ModelProto, name: str) -> ForeignModel:
    weights = {each.name for each in proto.graph.initializer}
    inputs = [each for each in proto.graph.input if each.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs) or "none"
        raise InvalidModel(f"{name} has {len(inputs)} inputs ({names}); a featurizer has one, the images")
    tensor = inputs[0].type.tensor_type
    dimensions = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    title = f"{name}: its input {inputs[0].name}"
    if tensor.elem_type not in INPUT_TYPES:
        kind = TensorProto.DataType.Name(tensor.elem_type)
        raise InvalidModel(f"{title} is of type {kind}; images are FLOAT, FLOAT16 or UINT8")
    if len(dimensions) != 4 or not dimensions[1]:
        raise InvalidModel(f"{title} has the shape {dimensions}; images are [N, channels, height, width]")
    if dimensions[0] is not None:
        raise InvalidModel(f"{title} takes {dimensions[0]} images at a time; export it with a dynamic batch axis")
    if dimensions[2] != dimensions[3]:
        raise InvalidModel(f"{title} is {dimensions[2]}×{dimensions[3]}; tiles are square")
    return ForeignModel(
        name=name,
        proto=proto,
        input_name=inputs[0].name,
        input_type=tensor.elem_type,
        channels=dimensions[1],
        edge=dimensions[2],
        outputs=tuple(each.name for each in proto.graph.output),
    )
