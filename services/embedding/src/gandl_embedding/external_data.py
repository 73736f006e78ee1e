"""Refuse an ONNX model that has weights in another file. The protobuf itself is read, so that no file is opened.

ONNX Runtime would open the file that `TensorProto.external_data` names, relative to the working directory. The service
does not install the onnx package, so this module walks the few message types that can hold a tensor (onnx.proto).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto

from gandl_shared.errors import InvalidModel


class _Message(Enum):
    """The messages of onnx.proto that lead to a tensor."""

    MODEL = auto()
    GRAPH = auto()
    NODE = auto()
    ATTRIBUTE = auto()
    FUNCTION = auto()
    TRAINING = auto()
    SPARSE_TENSOR = auto()
    TENSOR = auto()


_FIELDS: Mapping[_Message, Mapping[int, _Message]] = {
    _Message.MODEL: {7: _Message.GRAPH, 20: _Message.TRAINING, 25: _Message.FUNCTION},
    _Message.GRAPH: {1: _Message.NODE, 5: _Message.TENSOR, 15: _Message.SPARSE_TENSOR},
    _Message.NODE: {5: _Message.ATTRIBUTE},
    _Message.ATTRIBUTE: {
        **dict.fromkeys((5, 10), _Message.TENSOR),
        **dict.fromkeys((6, 11), _Message.GRAPH),
        **dict.fromkeys((22, 23), _Message.SPARSE_TENSOR),
    },
    _Message.FUNCTION: {7: _Message.NODE, 11: _Message.ATTRIBUTE},
    _Message.TRAINING: {1: _Message.GRAPH, 2: _Message.GRAPH},
    _Message.SPARSE_TENSOR: {1: _Message.TENSOR, 2: _Message.TENSOR},
    _Message.TENSOR: {},
}
_NAME, _EXTERNAL_DATA, _DATA_LOCATION = 8, 13, 14  # of TensorProto; data_location 1 is EXTERNAL
_VARINT, _EIGHT_BYTES, _DELIMITED, _FOUR_BYTES = 0, 1, 2, 5

Field = tuple[int, int | memoryview]


def check_self_contained(data: bytes, name: str) -> None:
    """Raise InvalidModel if a tensor of the model `data` is in another file, or if `data` is not a protobuf."""
    try:
        for tensor in _tensors(memoryview(data)):
            _check_tensor(list(_fields(tensor)), name)
    except (IndexError, ValueError) as error:
        raise InvalidModel(f"{name} is not an ONNX model that can be run: it is damaged or cut off") from error


def _check_tensor(fields: list[Field], name: str) -> None:
    entries = [value for number, value in fields if number == _EXTERNAL_DATA]
    if entries or (_DATA_LOCATION, 1) in fields:
        weights = next((_text(value) for number, value in fields if number == _NAME), "")
        file = next((location for entry in entries if (location := _location(entry))), "another file")
        detail = f"{name} keeps its weights '{weights}' in another file ({file}), which is not read"
        raise InvalidModel(f"{detail}; save the model with all weights inside (save_as_external_data=False)")


def _tensors(model: memoryview) -> Iterator[memoryview]:
    # A stack instead of recursion: the depth of nested graphs is up to the author of the file.
    waiting = [(_Message.MODEL, model)]
    while waiting:
        message, content = waiting.pop()
        if message is _Message.TENSOR:
            yield content
            continue
        for number, value in _fields(content):
            inner = _FIELDS[message].get(number)
            if inner is not None and isinstance(value, memoryview):
                waiting.append((inner, value))


def _fields(content: memoryview) -> Iterator[Field]:
    """Yield number and value of each field; numbers of fixed length are skipped. Raises ValueError, IndexError."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        # A key is the field number, shifted by three bits, and the wire type (protocol buffers encoding). Other readers
        # keep 32 bits of it, so more bits must not hide a field from this one.
        key &= 0xFFFFFFFF
        kind, length = key & 7, 0
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield key >> 3, value
            continue
        if kind == _DELIMITED:
            length, at = _varint(content, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + length > len(content):
            raise ValueError("a field is longer than its message")
        if kind == _DELIMITED:
            yield key >> 3, content[at : at + length]
        at += length


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for i in range(10):
        # Seven bits per byte, lowest first; the eighth bit says that more follow.
        byte = content[at + i]
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value, at + i + 1
    raise ValueError("a number of more than ten bytes")


def _location(entry: int | memoryview) -> str:
    """Return the value of an entry whose key is `location`, otherwise an empty text."""
    texts = {number: _text(value) for number, value in _fields(entry)} if isinstance(entry, memoryview) else {}
    return texts.get(2, "") if texts.get(1) == "location" else ""


def _text(value: int | memoryview) -> str:
    return bytes(value[:200]).decode(errors="replace") if isinstance(value, memoryview) else ""
