"""Foreign networks become featurizers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from gandl_embedding.engine import Engine
from gandl_embedding.model_import.run import import_model, write_imported
from gandl_embedding.settings import Settings
from gandl_shared.clients.wire import NPY, to_npy
from gandl_shared.errors import BadInput, Invalid, InvalidModel
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare
from numpy.typing import NDArray
from onnx import TensorProto

from tests.embedding.fixtures.foreign_models import (
    EDGE,
    WIDTH,
    channels,
    pooled_network,
    token_network,
    write_card,
    write_network,
)
from tests.embedding.fixtures.service import ready_client

TILES = np.random.default_rng(3).integers(0, 256, (5, 3, EDGE, EDGE), np.uint8)
MEAN, DEVIATION = (np.array(v)[None, :, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


def imported(folder: Path, network: onnx.ModelProto, **changes: object) -> Engine:
    """Import a network with the card of `write_card` and load the result."""
    model, card = write_network(folder / "net.onnx", network), write_card(folder / "card.json", **changes)
    write_imported(import_model(model, card), folder / "out.onnx")
    assert Engine.load(folder / "out.onnx").card.model_dump_json(indent=2) in (folder / "out.card.json").read_text()
    return Engine.load(folder / "out.onnx")


def outputs(network: onnx.ModelProto, pixels: NDArray[np.generic], output: str) -> NDArray[np.float32]:
    """Run the network itself."""
    session = ort.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    result: NDArray[np.float32] = session.run([output], {session.get_inputs()[0].name: pixels})[0]
    return result


@pytest.mark.parametrize("opset", [11, 17])
def test_the_class_token_of_a_transformer(tmp_path: Path, opset: int) -> None:
    network = token_network(opset=opset)
    engine = imported(tmp_path, network)
    pixels = ((TILES / 255 - MEAN) / DEVIATION).astype(np.float32)
    expected = outputs(network, pixels, "last_hidden_state")[:, 0]
    assert engine.embed(TILES) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    card = engine.card
    assert (card.features, card.tap) == (WIDTH, "last_hidden_state, cls, channels together")
    assert card.parity is not None and card.parity.torch_max < 1e-5 and card.parity.batch_max < 1e-5
    with pytest.raises(Invalid, match="the card of tiny-vit has no intensity limits"):
        assert card.limits


def test_the_mean_of_the_tokens_after_the_class_token(tmp_path: Path) -> None:
    network = token_network()
    engine = imported(tmp_path, network, pooling="tokens", prefix_tokens=1, maximum=255, mean=None, deviation=None)
    tokens = outputs(network, TILES.astype(np.float32), "last_hidden_state")
    assert engine.embed(TILES) == pytest.approx(tokens[:, 1:].mean(axis=1), rel=1e-4, abs=1e-4)


def test_one_channel_at_a_time_is_repeated_to_the_three_of_the_network(tmp_path: Path) -> None:
    network = token_network()
    names = channels("GFP", "DNA")
    engine = imported(tmp_path, network, channels=names, channel_mode="separate", features=2 * WIDTH)
    tiles = TILES[:, :2]
    vectors = []
    for channel in range(2):
        pixels = ((tiles[:, [channel] * 3] / 255 - MEAN) / DEVIATION).astype(np.float32)
        vectors.append(outputs(network, pixels, "last_hidden_state")[:, 0])
    assert engine.embed(tiles) == pytest.approx(np.hstack(vectors), rel=1e-4, abs=1e-5)


def test_a_network_of_one_channel_and_the_mean_over_space(tmp_path: Path) -> None:
    network = pooled_network(1)
    changes = {"channels": channels("A", "B", "C"), "channel_mode": "separate", "mean": [0.5], "deviation": [0.25]}
    engine = imported(tmp_path, network, output="maps", pooling="space", features=3 * WIDTH, **changes)
    pixels = ((TILES / 255 - 0.5) / 0.25).astype(np.float32).reshape(-1, 1, EDGE, EDGE)
    expected = outputs(network, pixels, "pooled").reshape(5, -1)
    assert engine.embed(TILES) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_network_that_takes_uint8(tmp_path: Path) -> None:
    network = pooled_network(3, kind=TensorProto.UINT8)
    changes = {"input_type": "uint8", "mean": None, "deviation": None, "pooling": "none", "output": "pooled"}
    engine = imported(tmp_path, network, **changes)
    assert engine.embed(TILES) == pytest.approx(outputs(network, TILES, "pooled"), rel=1e-4)


def test_tiles_are_enlarged_to_the_input_of_the_network(tmp_path: Path) -> None:
    network = token_network()
    engine = imported(tmp_path, network, size=24, input_size=EDGE)
    assert engine.embed(TILES[:, :, :24, :24]).shape == (5, WIDTH)
    ramp = np.broadcast_to(np.arange(16, dtype=np.uint8) * 8, (1, 3, 16, 16))
    doubled = imported(tmp_path, network, size=16, input_size=EDGE).embed(ramp)
    row = np.interp((np.arange(EDGE) + 0.5) / 2 - 0.5, np.arange(16), np.arange(16) * 8)
    pixels = ((np.broadcast_to(row, (1, 3, EDGE, EDGE)) / 255 - MEAN) / DEVIATION).astype(np.float32)
    assert doubled == pytest.approx(outputs(network, pixels, "last_hidden_state")[:, 0], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": 25}, r"net\.onnx returns 24 numbers; the card says features 25"),
        ({"pooling": "none"}, r"shape \[12, 17, 24\] for 12 images; pooling none needs \[N, D\]"),
        ({"pooling": "space"}, r"pooling space needs \[N, D, height, width\]"),
        ({"pooling": "tokens", "prefix_tokens": 17}, "17 tokens, and prefix_tokens leaves 17 out"),
        ({"input_type": "uint8", "mean": None, "deviation": None}, "input_type is uint8 on the card, but .* float"),
        ({"size": 48}, r"takes 32×32 pixels and the card says 48"),
        ({"channels": channels("GFP", "DNA")}, "takes 3 channels and the card has 2; .* channel_mode to separate"),
        ({"mean": [0.5, 0.5], "deviation": [0.5, 0.5]}, "mean and deviation have 2 numbers for 3 channels"),
        ({"output": "logits"}, "has no output logits; it has last_hidden_state"),
        ({"channel_mode": "separate"}, "24 numbers for each of 3 channels, 72 in all; the card says features 24"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        imported(tmp_path, token_network(), **changes)
    assert not (tmp_path / "out.onnx").exists()


def test_an_open_choice_of_the_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=r"has the outputs maps, pooled; name one as `output`"):
        imported(tmp_path, pooled_network(3), pooling="none")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    result = import_model(write_network(tmp_path / "net.onnx", token_network()), write_card(tmp_path / "card.json"))
    with pytest.raises(BadInput, match="cannot write"):
        write_imported(result, tmp_path / "absent" / "out.onnx")


def test_the_service_embeds_with_an_imported_model(tmp_path: Path) -> None:
    engine = imported(tmp_path, token_network())
    models_dir = tmp_path / "models"
    models_dir.mkdir()
    (tmp_path / "out.onnx").rename(models_dir / "tiny-vit.onnx")
    field = np.random.default_rng(4).integers(0, 4096, (1, 3, 64, 64), np.uint16)
    body, headers = to_npy(field), {"content-type": NPY}
    with ready_client(Settings(models_dir=models_dir, threads=1)) as client:
        answer = client.post("/embed", content=body, headers=headers)
        assert answer.status_code == 422
        assert "has no intensity limits" in answer.json()["detail"]
        limits = {"low": [0, 0, 0], "high": [4095, 4095, 4095]}
        answer = client.post("/embed", content=body, headers=headers, params=limits)
    assert answer.status_code == 200, answer.text
    preprocessing = Preprocessing(limits=IntensityLimits(low=(0,) * 3, high=(4095,) * 3), size=EDGE, downscale=1)
    expected = engine.embed(prepare(field[0], preprocessing))
    assert np.array(answer.json()["vectors"]) == pytest.approx(expected, rel=1e-4, abs=1e-5)
