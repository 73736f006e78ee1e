"""`POST /embed` and the models it serves read no file that an upload or a model names."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
import typer
from fastapi.testclient import TestClient
from gandl.commands.models import models
from gandl_embedding.engine import Engine
from gandl_embedding.external_data import check_self_contained
from gandl_shared.errors import InvalidModel
from gandl_shared.imaging import Preprocessing, prepare
from gandl_shared.testing import FileGuard, binary_only_tiff, ome_tiff
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

FIELD = np.random.default_rng(0).integers(0, 260, (2, 72, 72)).astype(np.uint16)


def vectors_of(models_dir: Path, image: np.ndarray) -> np.ndarray:
    engine = Engine.load(models_dir / "two.onnx", threads=1)
    how = Preprocessing(limits=engine.card.limits, size=engine.card.size, downscale=engine.card.downscale)
    return engine.embed(prepare(image, how))


@pytest.mark.parametrize("write", [lambda name: ome_tiff(FIELD, elsewhere=name), lambda n: binary_only_tiff(FIELD, n)])
def test_an_upload_is_embedded_from_its_own_pixels(
    client: TestClient,
    models_dir: Path,
    named_file: tuple[Path, str],
    guard: FileGuard,
    capfd: pytest.CaptureFixture[str],
    write: Callable[[str], bytes],
) -> None:
    target, name = named_file
    start = time.monotonic()
    with guard.guarding(target):
        answer = client.post("/embed", files={"image": ("own.ome.tif", write(name))})
    assert answer.status_code == 200, answer.text
    np.testing.assert_allclose(answer.json()["vectors"], vectors_of(models_dir, FIELD), rtol=1e-5, atol=1e-5)
    assert time.monotonic() - start < 10
    assert "zeroed" not in capfd.readouterr().err


def test_an_upload_without_pixels_of_its_own_is_refused(
    client: TestClient, named_file: tuple[Path, str], guard: FileGuard
) -> None:
    target, name = named_file
    planes = ome_tiff(FIELD, elsewhere=name).replace(b'FileName="own">urn:uuid:1', b'FileName="two">urn:uuid:2')
    with guard.guarding(target):
        for field in ("image", "channel"):
            answer = client.post("/embed", files=[(field, ("own.ome.tif", planes))] * (1 if field == "image" else 2))
            assert answer.status_code == 422
            assert "places no plane in this file" in answer.json()["detail"]
    assert client.get("/health/live").status_code == 200


LOCATIONS = ["/etc/hostname", "weights.bin", "../weights.bin", "/proc/self/fd/0", "fifo"]


def with_external(model: onnx.ModelProto, location: str) -> onnx.ModelProto:
    """The first initializer's numbers moved to a file of that name."""
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    return model


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_model_whose_weights_lie_elsewhere_is_refused(
    tmp_path: Path, tiny: ModuleType, guard: FileGuard, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    weights = tiny.tiny_graph().graph.initializer[0].raw_data
    for place in (folder, tmp_path):
        (place / "weights.bin").write_bytes(weights)
    os.mkfifo(folder / "fifo")
    monkeypatch.chdir(folder)
    path = tiny.write_model(folder / "m.onnx", with_external(tiny.tiny_graph(), location), tiny.tiny_card("m"))
    with (
        guard.guarding(Path(location), tmp_path / "weights.bin"),
        pytest.raises(InvalidModel, match=rf"m\.onnx keeps its weights 'weight' in another file \({location}\)"),
    ):
        Engine.load(path)


def test_gandl_models_refuses_it_by_name(tmp_path: Path, tiny: ModuleType) -> None:
    path = tiny.write_model(tmp_path / "m.onnx", with_external(tiny.tiny_graph(), "w.bin"), tiny.tiny_card("m"))
    app = typer.Typer()
    app.command("models")(models)
    result = CliRunner().invoke(app, [str(path)])
    assert isinstance(result.exception, InvalidModel)
    assert "m.onnx keeps its weights 'weight' in another file (w.bin)" in str(result.exception)


def external(name: str = "t") -> TensorProto:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), name)
    onnx.external_data_helper.set_external_data(tensor, "w.bin")
    return tensor


def test_tensors_are_looked_for_wherever_a_model_may_hold_them(tiny: ModuleType) -> None:
    """In an attribute, a branch, a function, a sparse tensor and the training graphs."""
    constant = helper.make_node("Constant", [], ["c"], value=external())
    branch = helper.make_graph([constant], "branch", [], [])
    places: list[onnx.ModelProto] = [tiny.tiny_graph() for _ in range(6)]
    places[0].graph.node.append(constant)
    places[1].graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))
    places[2].functions.append(helper.make_function("d", "f", [], ["c"], [constant], []))
    places[3].graph.sparse_initializer.add().values.CopyFrom(external())
    places[4].training_info.add().algorithm.CopyFrom(branch)
    places[5].graph.initializer[1].data_location = TensorProto.EXTERNAL
    for model in places:
        with pytest.raises(InvalidModel, match="in another file"):
            check_self_contained(model.SerializeToString(), "m.onnx")


def test_a_fifo_among_the_models_is_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.onnx")
    with pytest.raises(InvalidModel, match=r"m\.onnx cannot be read: it is a folder, a FIFO or a device"):
        Engine.load(tmp_path / "m.onnx")
