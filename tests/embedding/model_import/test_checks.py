"""Networks whose vectors no analysis can use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from gandl_embedding.engine import varied_tiles
from gandl_embedding.model_import.card import read_import_card
from gandl_embedding.model_import.checks import check_vectors, relative_difference
from gandl_embedding.model_import.source import read_foreign_model
from gandl_shared.errors import InvalidModel
from numpy.typing import NDArray

from tests.embedding.fixtures.foreign_models import token_network, write_card, write_network

Vectors = NDArray[np.float64]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a network and its card."""
    write_network(tmp_path / "net.onnx", token_network())
    write_card(tmp_path / "card.json")
    return tmp_path


def levels(tiles: NDArray[np.uint8]) -> Vectors:
    """Vectors that are right: the mean of each channel."""
    return tiles.mean(axis=(2, 3)) + 1


def batch_norm(tiles: NDArray[np.uint8]) -> Vectors:
    return levels(tiles) - levels(tiles).mean(axis=0)


def normalised(tiles: NDArray[np.uint8]) -> Vectors:
    with np.errstate(invalid="ignore", divide="ignore"):
        return levels(tiles) / tiles.std(axis=(1, 2, 3))[:, None]


def dropout(tiles: NDArray[np.uint8], rng: np.random.Generator = np.random.default_rng(0)) -> Vectors:  # noqa: B008
    return levels(tiles) * rng.integers(0, 2, (len(tiles), 1))


def constant(tiles: NDArray[np.uint8]) -> Vectors:
    return np.ones((len(tiles), 3))


def shifted(tiles: NDArray[np.uint8]) -> Vectors:
    return levels(tiles) * 1.01


@pytest.mark.parametrize(
    ("embed", "message"),
    [
        (batch_norm, "depends on the other images of its batch"),
        (normalised, "not finite for a blank tile"),
        (dropout, "another vector in every run"),
        (constant, "the same vector for every image"),
        (shifted, "other vectors after the import"),
    ],
)
def test_vectors_that_are_refused(folder: Path, embed: object, message: str) -> None:
    card, model = read_import_card(folder / "card.json"), read_foreign_model(folder / "net.onnx")
    tiles = varied_tiles(len(card.channels), card.size)
    with pytest.raises(InvalidModel, match=message):
        check_vectors(embed, levels(tiles), tiles, model)  # type: ignore[arg-type]


def test_right_vectors_give_a_parity_report(folder: Path) -> None:
    card, model = read_import_card(folder / "card.json"), read_foreign_model(folder / "net.onnx")
    tiles = varied_tiles(len(card.channels), card.size)
    parity = check_vectors(levels, levels(tiles), tiles, model)
    assert (parity.images, parity.torch_max, parity.batch_max) == (12, 0, 0)
    assert relative_difference(np.array([[3.0, 4.5]]), np.array([[3.0, 4.0]])) == pytest.approx(0.1)


def test_the_network_has_one_input(folder: Path) -> None:
    assert isinstance(read_foreign_model(folder / "net.onnx").proto, onnx.ModelProto)
