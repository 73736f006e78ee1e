"""Vectors as JSON give the same float32 back, with the fields of the schema."""

from __future__ import annotations

import asyncio
import base64
import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from gandl_embedding.api import answers
from gandl_embedding.inputs import Tiles
from gandl_embedding.service import EmbedResult
from gandl_shared.clients.wire import NPY, PARQUET, Embeddings, Encoding, Pool, Precision, from_npy
from gandl_shared.errors import Invalid

from tests.embedding.fixtures.tiny_model import tiny_card

VECTORS = np.random.default_rng(0).normal(0, 1, (3, 512)).astype(np.float32) / np.float32(3)
TILES = np.zeros((3, 2, 16, 16), np.uint8)


def result() -> EmbedResult:
    tiles = Tiles(tiles=TILES, names=("a", "b"), counts=(2, 1), limits=None)
    return EmbedResult(
        card=tiny_card(), model_id="0" * 64, numerics="cpu.float32", pool=Pool.TILES, tiles=tiles, vectors=VECTORS
    )


@pytest.mark.parametrize("inline", [2**15, 0])
def test_json_holds_the_same_numbers(inline: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_INLINE_NUMBERS", inline)
    answer = asyncio.run(answers.render(answers.AnswerForm(), result()))
    body = Embeddings.model_validate_json(bytes(answer.body))
    np.testing.assert_array_equal(np.array(body.vectors, np.float32), VECTORS)
    assert [(image.name, image.tiles) for image in body.images] == [("a", 2), ("b", 1)]


def test_npy_holds_the_same_numbers() -> None:
    answer = asyncio.run(answers.render(answers.AnswerForm(accept=NPY), result()))
    np.testing.assert_array_equal(from_npy(bytes(answer.body)), VECTORS)
    assert answer.headers["x-gandl-model-id"] == "0" * 64


@pytest.mark.parametrize("dtype", Precision)
def test_base64_and_half_precision(dtype: Precision) -> None:
    form = answers.AnswerForm(encoding=Encoding.BASE64, dtype=dtype)
    body = Embeddings.model_validate_json(bytes(asyncio.run(answers.render(form, result())).body))
    assert body.vectors == ()
    assert body.encoded is not None
    again = np.frombuffer(base64.b64decode(body.encoded.base64), body.encoded.dtype.value).reshape(body.encoded.shape)
    np.testing.assert_array_equal(again, VECTORS.astype(dtype.value))
    npy = from_npy(bytes(asyncio.run(answers.render(answers.AnswerForm(accept=NPY, dtype=dtype), result())).body))
    np.testing.assert_array_equal(npy, again)


def test_parquet_is_a_table_of_profiles() -> None:
    answer = asyncio.run(answers.render(answers.AnswerForm(accept=PARQUET), result()))
    table = pq.read_table(io.BytesIO(bytes(answer.body)))
    assert table.column_names[:3] == ["Metadata_image", "Metadata_tile", "gandl_000"]
    assert table["Metadata_image"].to_pylist() == ["a", "a", "b"]
    assert table["Metadata_tile"].to_pylist() == [0, 1, 0]
    np.testing.assert_array_equal(table["gandl_511"].to_numpy(), VECTORS[:, 511])


def test_novelty_is_in_json_and_parquet_only() -> None:
    novelty = np.array([0.5, -1, 3], np.float32)
    scored = result()._replace(novelty=novelty)
    body = Embeddings.model_validate_json(bytes(asyncio.run(answers.render(answers.AnswerForm(), scored)).body))
    assert body.novelty == (0.5, -1, 3)
    parquet = asyncio.run(answers.render(answers.AnswerForm(accept=PARQUET), scored))
    assert pq.read_table(io.BytesIO(bytes(parquet.body)))["Metadata_novelty"].to_pylist() == [0.5, -1, 3]
    with pytest.raises(Invalid, match="no room for novelty; ask for JSON or Parquet"):
        asyncio.run(answers.render(answers.AnswerForm(accept=NPY), scored))
