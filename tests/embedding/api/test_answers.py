"""Vectors as JSON give the same float32 back, with the fields of the schema."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from gandl_embedding.api import answers
from gandl_embedding.inputs import Tiles
from gandl_embedding.service import EmbedResult
from gandl_shared.clients.wire import NPY, Embeddings, Pool, from_npy

from tests.embedding.fixtures.tiny_model import tiny_card

VECTORS = np.random.default_rng(0).normal(0, 1, (3, 512)).astype(np.float32) / np.float32(3)
TILES = np.zeros((3, 2, 16, 16), np.uint8)


def result() -> EmbedResult:
    tiles = Tiles(tiles=TILES, names=("a", "b"), counts=(2, 1), limits=None)
    return EmbedResult(card=tiny_card(), model_id="0" * 64, pool=Pool.TILES, tiles=tiles, vectors=VECTORS)


@pytest.mark.parametrize("inline", [2**15, 0])
def test_json_holds_the_same_numbers(inline: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_INLINE_NUMBERS", inline)
    answer = asyncio.run(answers.render(None, result()))
    body = Embeddings.model_validate_json(bytes(answer.body))
    np.testing.assert_array_equal(np.array(body.vectors, np.float32), VECTORS)
    assert [(image.name, image.tiles) for image in body.images] == [("a", 2), ("b", 1)]


def test_npy_holds_the_same_numbers() -> None:
    answer = asyncio.run(answers.render(NPY, result()))
    np.testing.assert_array_equal(from_npy(bytes(answer.body)), VECTORS)
    assert answer.headers["x-gandl-model-id"] == "0" * 64
