"""A model is read from its own bytes: no file that it names is opened."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from gandl_embedding.engine import Engine
from gandl_embedding.external_data import check_self_contained
from gandl_shared.errors import InvalidModel
from gandl_shared.testing import FileGuard
from onnx import TensorProto, helper, numpy_helper

from tests.embedding.fixtures.tiny_model import tiny_card, tiny_graph, write_model

LOCATIONS = ["/etc/hostname", "weights.bin", "../weights.bin", "/proc/self/fd/0", "fifo"]


def with_external(model: onnx.ModelProto, location: str) -> onnx.ModelProto:
    """The first initializer's numbers moved to a file of that name."""
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    return model


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_model_with_weights_in_another_file_is_refused(
    tmp_path: Path, guard: FileGuard, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    weights = tiny_graph().graph.initializer[0].raw_data
    for directory in (folder, tmp_path):
        (directory / "weights.bin").write_bytes(weights)
    os.mkfifo(folder / "fifo")
    monkeypatch.chdir(folder)
    path = write_model(folder / "m.onnx", with_external(tiny_graph(), location), tiny_card("m"))
    with (
        guard.guarding(Path(location), tmp_path / "weights.bin"),
        pytest.raises(InvalidModel, match=rf"m\.onnx keeps its weights 'weight' in another file \({location}\)"),
    ):
        Engine.load(path)


def external_tensor(name: str = "t") -> TensorProto:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), name)
    onnx.external_data_helper.set_external_data(tensor, "w.bin")
    return tensor


def test_tensors_are_checked_wherever_a_model_may_have_them() -> None:
    """In an attribute, a branch, a function, a sparse tensor and the training graphs."""
    constant = helper.make_node("Constant", [], ["c"], value=external_tensor())
    branch = helper.make_graph([constant], "branch", [], [])
    variants: list[onnx.ModelProto] = [tiny_graph() for _ in range(6)]
    variants[0].graph.node.append(constant)
    variants[1].graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))
    variants[2].functions.append(helper.make_function("d", "f", [], ["c"], [constant], []))
    variants[3].graph.sparse_initializer.add().values.CopyFrom(external_tensor())
    variants[4].training_info.add().algorithm.CopyFrom(branch)
    variants[5].graph.initializer[1].data_location = TensorProto.EXTERNAL
    for model in variants:
        with pytest.raises(InvalidModel, match="in another file"):
            check_self_contained(model.SerializeToString(), "m.onnx")


def test_a_fifo_among_the_models_is_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.onnx")
    with pytest.raises(InvalidModel, match=r"m\.onnx cannot be read: it is a folder, a FIFO or a device"):
        Engine.load(tmp_path / "m.onnx")


@pytest.mark.parametrize("high", [0, 0x10, 0x70])
def test_a_field_cannot_hide_behind_bits_that_other_readers_drop(high: int) -> None:
    def key(number: int, kind: int) -> bytes:
        return bytes([number << 3 & 0x78 | kind | 0x80, number >> 4 | 0x80, 0x80, 0x80, high])

    def field(number: int, content: bytes) -> bytes:
        return key(number, 2) + bytes([len(content)]) + content

    location = field(1, b"location") + field(2, b"w.bin")
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[4])
    hidden = tensor.SerializeToString() + field(13, location) + key(14, 0) + b"\x01"
    # ONNX Runtime sees the location, so the check must see it too.
    with pytest.raises(InvalidModel, match=r"in another file \(w.bin\)"):
        check_self_contained(field(7, field(5, hidden)), "m.onnx")
