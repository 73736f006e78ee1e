"""The ONNX session: right vectors, the same in every batch, and a clear word on every file that is not a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from gandl_embedding.engine import CPU, CUDA, Engine, batch_size
from gandl_shared.errors import Invalid, InvalidModel, NotFound, Unavailable
from gandl_shared.models import model_id
from onnx import TensorProto, numpy_helper

from tests.embedding.fixtures.tiny_model import NOVELTY, scored_model, tiny_card, tiny_graph, write_model

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture(scope="module")
def engine(model_file: Path) -> Engine:
    return Engine.load(model_file, threads=1)


def tiles(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 2, 16, 16), dtype=np.uint8)


def test_vectors_are_those_of_the_graph(engine: Engine) -> None:
    """Against the same convolution written in numpy."""
    weight, bias = (numpy_helper.to_array(t) for t in tiny_graph().graph.initializer[:2])
    images = tiles(3)
    patches = images.reshape(3, 2, 4, 4, 4, 4).transpose(0, 2, 4, 1, 3, 5).astype(np.float64)  # n, y, x, c, ky, kx
    maps = np.einsum("nyxckl,fckl->nfyx", patches, weight) + bias[:, None, None]
    expected = np.where(maps > 0, maps, 0.2 * maps).mean(axis=(2, 3))
    np.testing.assert_allclose(engine.embed(images), expected, rtol=1e-4, atol=1e-3)


def test_a_vector_does_not_depend_on_its_batch(engine: Engine) -> None:
    """Alone, in fives and in a batch that does not divide by the internal one."""
    images = tiles(2 * engine.batch + 3)
    together = engine.embed(images)
    for step in (1, 5):
        parts = np.concatenate([engine.embed(images[i : i + step]) for i in range(0, len(images), step)])
        difference = np.linalg.norm(parts - together, axis=1) / np.linalg.norm(together, axis=1)
        assert difference.max() <= 1e-5


@pytest.mark.parametrize("name", ["bbbc013", "bbbc013-contrast", "nuclei", "nuclei-centre", "sim5"])
def test_neither_batch_nor_threads_change_a_bit_on_a_cpu(name: str) -> None:
    """So the batch that is measured as the fastest, and the requests that share a run, decide nothing."""
    one, two = (Engine.load(MODELS / f"gandl-{name}-64.onnx", threads=threads) for threads in (1, 2))
    images = np.random.default_rng(5).integers(0, 256, (2, len(one.card.channels), 64, 64), dtype=np.uint8)
    two.use_batch(1)
    np.testing.assert_array_equal(two.embed(images), one.embed(images))


def test_the_same_input_gives_the_same_bits(engine: Engine, model_file: Path) -> None:
    np.testing.assert_array_equal(engine.embed(tiles(7)), Engine.load(model_file, threads=1).embed(tiles(7)))


def test_no_tiles_give_no_vectors(engine: Engine) -> None:
    assert engine.embed(tiles(0)).shape == (0, 512)


def test_a_transposed_view_is_read_as_it_is_indexed(engine: Engine) -> None:
    images = tiles(2)
    view = np.ascontiguousarray(images.transpose(0, 1, 3, 2)).transpose(0, 1, 3, 2)
    np.testing.assert_array_equal(engine.embed(view), engine.embed(images))


def test_it_says_what_it_is(engine: Engine, model_file: Path) -> None:
    assert engine.card.name == "tiny"
    assert engine.model_id == model_id(model_file)
    assert engine.provider == CPU


def test_batches_are_measured_in_pixels() -> None:
    assert (batch_size(64, CPU), batch_size(1024, CPU)) == (16, 1)
    assert [batch_size(size, CUDA) for size in (48, 64, 256, 2048)] == [256, 256, 16, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 3, 16, 16), np.uint8),
        np.zeros((1, 2, 16, 16), np.float32),
        np.zeros((2, 16, 16), np.uint8),
        np.zeros((1, 2, 32, 32), np.uint8),
    ],
    ids=["channels", "type", "dimensions", "size"],
)
def test_other_tiles_are_refused(engine: Engine, wrong: np.ndarray) -> None:
    with pytest.raises(Invalid, match=r"takes tiles of type uint8 and shape \[N, 2, 16, 16\]; these are") as caught:
        engine.embed(wrong)
    assert str(list(wrong.shape)) in caught.value.detail


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gone.onnx"):
        Engine.load(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model\n", b"\x08\x0a" + bytes(200)], ids=["empty", "text", "zeros"])
def test_what_is_not_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.onnx"
    path.write_bytes(content)
    with pytest.raises(InvalidModel, match="odd.onnx"):
        Engine.load(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="cannot be read"):
        Engine.load(tmp_path)


def test_a_truncated_model_is_refused(tmp_path: Path, model_file: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(model_file.read_bytes()[:-4000])
    with pytest.raises(InvalidModel, match="cut.onnx"):
        Engine.load(path)


def test_a_model_without_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="no gandl model card"):
        Engine.load(write_model(tmp_path / "foreign.onnx", tiny_graph(), None))


def test_a_broken_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="the model card is invalid at channels"):
        Engine.load(write_model(tmp_path / "m.onnx", tiny_graph(), '{"name": "m"}'))


def test_a_card_that_does_not_fit_the_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="images is tensor"):
        Engine.load(write_model(tmp_path / "c.onnx", tiny_graph(channels=3), tiny_card()))
    with pytest.raises(InvalidModel, match="embedding is tensor"):
        Engine.load(write_model(tmp_path / "f.onnx", tiny_graph(features=64), tiny_card()))
    with pytest.raises(InvalidModel, match="images is tensor"):
        graph = tiny_graph(dtype=TensorProto.FLOAT)
        Engine.load(write_model(tmp_path / "t.onnx", graph, tiny_card()))


def test_a_card_of_a_later_format_is_refused(tmp_path: Path) -> None:
    card = tiny_card().model_copy(update={"format": 2})
    with pytest.raises(InvalidModel, match="format 2"):
        Engine.load(write_model(tmp_path / "m.onnx", tiny_graph(), card))


def test_an_absent_provider_is_named(model_file: Path) -> None:
    with pytest.raises(Unavailable, match="TPUExecutionProvider"):
        Engine.load(model_file, providers=["TPUExecutionProvider"])


def test_the_batch_is_measured_and_changes_no_vector(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine.load(model_file, threads=1)
    tiles = np.random.default_rng(1).integers(0, 256, (9, 2, 16, 16), dtype=np.uint8)
    expected = engine.embed(tiles)
    assert engine.measure_batch() == engine.batch
    np.testing.assert_array_equal(engine.embed(tiles), expected)
    # A batch whose vectors differ is never chosen, however fast it is.
    monkeypatch.setattr(Engine, "_agrees", lambda engine, *_: engine.batch == 256)
    assert engine.measure_batch() == 256
    monkeypatch.setattr(Engine, "_agrees", lambda *_: True)
    per_tile, runs = {1: 1.0, 2: 0.6, 4: 0.98, 8: 0.98, 256: 1.0}, list[tuple[int, int]]()

    def timed(embed: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> tuple[np.ndarray, float]:
        runs.append((engine.batch, len(images)))
        return embed(images), unit * per_tile[engine.batch] * len(images)

    monkeypatch.setattr("gandl_embedding.engine.engine._timed", timed)
    # A slow model is timed by one call of each batch, and a fast one by all tiles, three times.
    unit = 1.0
    assert engine.measure_batch() == 2
    assert runs == [(256, 256), (256, 256), (1, 1), (2, 2), (4, 4), (8, 8)]
    unit = 0.001
    runs.clear()
    assert engine.measure_batch() == 2
    assert runs == [(256, 256), *[(batch, 256) for batch in (256, 1, 2, 4, 8) for _ in range(3)]]
    # Of batches that are about as fast the smallest is chosen.
    per_tile |= {1: 1.1, 2: 1.02, 4: 0.98}
    assert engine.measure_batch() == 2
    per_tile[2] = 1.04
    assert engine.measure_batch() == 4


def test_the_novelty_of_a_model_stands_beside_its_vectors(tmp_path: Path) -> None:
    scored, images = Engine.load(scored_model(tmp_path / "scored.onnx"), threads=1), tiles(5)
    vectors, rows = scored.embed(images), scored.rows(images)
    assert (vectors.shape, rows.shape, scored.rows(images[:0]).shape) == ((5, 512), (5, 513), (0, 513))
    np.testing.assert_array_equal(rows[:, :512], vectors)
    np.testing.assert_array_equal(rows[:, 512], vectors[:, 0])


def test_novelty_and_its_scale_belong_together(tmp_path: Path) -> None:
    scored = onnx.load(scored_model(tmp_path / "scored.onnx"))
    for graph, card in (
        (scored, tiny_card("m")),
        (tiny_graph(), tiny_card("m").model_copy(update={"novelty": NOVELTY})),
    ):
        path = write_model(tmp_path / "m.onnx", graph, card)
        with pytest.raises(InvalidModel, match="the output `novelty` and its scale on the card belong together"):
            Engine.load(path)
