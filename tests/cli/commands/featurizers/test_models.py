"""`gandl models`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
from gandl_embedding.engine import Engine
from gandl_shared.errors import BadInput, InvalidModel, NotFound

from tests.cli.commands.invocation import Run
from tests.embedding.fixtures.tiny_model import tiny_card, tiny_graph, tiny_model, write_model


def test_models_are_listed(run: Run, models_dir: Path) -> None:
    table = run("models", models_dir)
    assert "five" in table
    assert "two" in table
    listed = json.loads(run("models", models_dir, "--json"))
    assert [m["card"]["name"] for m in listed] == ["five", "two"]
    assert listed[1]["id"] == Engine.load(models_dir / "two.onnx").model_id
    assert [m["card"]["size"] for m in json.loads(run("models", models_dir / "two.onnx", "--json"))] == [16]


def test_every_broken_model_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_text("text")
    tiny_model(tmp_path / "good.onnx")
    write_model(tmp_path / "z.onnx", tiny_graph(), None)
    with pytest.raises(InvalidModel) as caught:
        run("models", tmp_path)
    assert [problem.detail.split(" ")[0] for problem in caught.value.problems] == ["a.onnx", "z.onnx"]
    with pytest.raises(NotFound, match="gone"):
        run("models", tmp_path / "gone")


def test_a_model_with_weights_in_another_file_is_named(run: Run, tmp_path: Path) -> None:
    graph = tiny_graph()
    onnx.external_data_helper.set_external_data(graph.graph.initializer[0], "w.bin")
    path = write_model(tmp_path / "m.onnx", graph, tiny_card("m"))
    with pytest.raises(InvalidModel, match=r"m\.onnx keeps its weights 'weight' in another file \(w\.bin\)"):
        run("models", path)


def test_images_without_a_plate_map_are_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give both --images and --platemap"):
        run("models", "--images", tmp_path)


def test_a_precision_needs_a_screen_to_be_measured_on(run: Run, models_dir: Path) -> None:
    with pytest.raises(BadInput, match="measured on a screen; give --images and --platemap"):
        run("models", models_dir, "--precision", "bfloat16")
