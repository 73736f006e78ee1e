"""Foreign ONNX files."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from gandl_embedding.model_import.source import read_foreign_model
from gandl_shared.errors import InvalidModel, NotFound
from onnx import external_data_helper

from tests.embedding.fixtures.foreign_models import pooled_network, token_network, write_network
from tests.embedding.fixtures.tiny_model import tiny_model


def with_weights_in(location: str, folder: Path) -> Path:
    """Write a network whose convolution is in another file, by name only."""
    model = token_network()
    external_data_helper.set_external_data(model.graph.initializer[0], location)
    model.graph.initializer[0].ClearField("raw_data")
    return write_network(folder / "net.onnx", model)


def test_weights_beside_the_model_are_taken_in(tmp_path: Path) -> None:
    inside = read_foreign_model(write_network(tmp_path / "one.onnx", token_network())).proto
    onnx.save(token_network(), tmp_path / "net.onnx", save_as_external_data=True, size_threshold=0, location="w.bin")
    assert (tmp_path / "w.bin").stat().st_size > 0
    model = read_foreign_model(tmp_path / "net.onnx")
    weights = {each.name: each.raw_data for each in inside.graph.initializer}
    assert {each.name: each.raw_data for each in model.proto.graph.initializer} == weights
    assert b"w.bin" not in model.proto.SerializeToString()


def test_weights_elsewhere_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(20000))
    (folder / "link.bin").symlink_to(secret)
    for location in ("../secret.bin", str(secret), "a/../../secret.bin", "link.bin", ""):
        with pytest.raises(InvalidModel, match="outside its own folder"):
            read_foreign_model(with_weights_in(location, folder))
    with pytest.raises(InvalidModel, match=r"keeps weights in w\.bin, which is not beside it"):
        read_foreign_model(with_weights_in("w.bin", folder))
    (folder / "w.bin").write_bytes(b"short")
    with pytest.raises(InvalidModel, match="too small for the declared shape"):
        read_foreign_model(with_weights_in("w.bin", folder))


def test_files_that_are_no_model(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(NotFound, match="there is no model file"):
        read_foreign_model(path)
    path.write_text("<html>not here</html>")
    with pytest.raises(InvalidModel, match="is not an ONNX model"):
        read_foreign_model(path)
    path.write_bytes(token_network().SerializeToString()[:-400])
    with pytest.raises(InvalidModel, match="is not"):
        read_foreign_model(path)
    with pytest.raises(InvalidModel, match="is a featurizer of gandl already"):
        read_foreign_model(tiny_model(tmp_path / "tiny.onnx"))


def test_a_fixed_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="takes 1 images at a time; export it with a dynamic batch axis"):
        read_foreign_model(write_network(tmp_path / "net.onnx", token_network(batch=1)))


def test_operators_of_one_runtime_are_refused(tmp_path: Path) -> None:
    model = pooled_network(operator="FastGelu", domain="com.microsoft")
    with pytest.raises(InvalidModel, match=r"outside the standard of ONNX: com\.microsoft\.FastGelu"):
        read_foreign_model(write_network(tmp_path / "net.onnx", model))
    with pytest.raises(InvalidModel, match="opset 9; export it again with opset 11"):
        read_foreign_model(write_network(tmp_path / "net.onnx", pooled_network(opset=9)))


def test_what_is_no_image(tmp_path: Path) -> None:
    model = pooled_network()
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    with pytest.raises(InvalidModel, match="image is of type INT64; images are FLOAT, FLOAT16 or UINT8"):
        read_foreign_model(write_network(tmp_path / "net.onnx", model))
    model = pooled_network()
    model.graph.input.append(onnx.helper.make_tensor_value_info("mask", 1, ["n"]))
    with pytest.raises(InvalidModel, match=r"has 2 inputs \(image, mask\)"):
        read_foreign_model(write_network(tmp_path / "net.onnx", model))
