"""The models of a folder, by the names in their cards."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_embedding.catalog import Catalog, model_files
from gandl_embedding.settings import Settings
from gandl_shared.errors import InvalidModel, NotFound
from gandl_shared.models import model_id

from tests.embedding.fixtures.tiny_model import tiny_card, tiny_graph, tiny_model, write_model


def load(folder: Path, default: str | None = None) -> Catalog:
    return Catalog.load(Settings(models_dir=folder, default_model=default, threads=1))


def test_the_default_is_the_named_model_or_the_first(models_dir: Path) -> None:
    assert load(models_dir).get(None).card.name == "five"
    catalog = load(models_dir, "two")
    assert catalog.get(None) is catalog.get("two")
    assert [catalog.info(name).default for name in catalog.engines] == [False, True]


def test_the_information_of_a_model(models_dir: Path) -> None:
    info = load(models_dir).info("two")
    assert (info.id, info.provider, info.card.size) == (
        model_id(models_dir / "two.onnx"),
        "CPUExecutionProvider",
        16,
    )


def test_an_unknown_model_is_not_found_and_the_available_ones_are_listed(models_dir: Path) -> None:
    with pytest.raises(NotFound, match="no model 'six'; available are five, two"):
        load(models_dir).get("six")
    with pytest.raises(NotFound, match="default model six is not among five, two"):
        load(models_dir, "six")


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    tiny_model(tmp_path / "a.onnx")
    write_model(tmp_path / "b.onnx", tiny_graph(), tiny_card("a"))
    with pytest.raises(InvalidModel, match=r"b\.onnx: another model is already called a"):
        load(tmp_path)


def test_files_come_by_name_and_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    for name in ("b.onnx", "a.onnx", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in model_files(tmp_path)] == ["a.onnx", "b.onnx"]
    with pytest.raises(NotFound, match="GANDL_EMBEDDING_MODELS_DIR"):
        model_files(tmp_path / "gone")
