"""`gandl import-model`, as a user types it; the featurizer then screens a plate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_embedding.engine import Engine
from gandl_shared.store import read_profiles

from tests.cases import plates
from tests.cli.command_line import Gandl
from tests.embedding.fixtures.foreign_models import WIDTH, channels, token_network, write_card, write_network


def test_a_foreign_model_screens_a_plate(gandl: Gandl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = write_network(tmp_path / "net.onnx", token_network())
    separate = {"channels": channels("GFP", "DNA"), "channel_mode": "separate", "features": 2 * WIDTH}
    card = write_card(tmp_path / "card.json", **separate)
    ended = gandl("import-model", model, "--card", card)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("tiny-vit.onnx: 48 features of last_hidden_state, cls, channels separate; network")
    assert Engine.load(tmp_path / "tiny-vit.onnx").card.name == "tiny-vit"

    images, plate_map = plates.write_images(tmp_path / "Images"), plates.write_plate_map(tmp_path / "map.csv")
    screen = ("screen", images, "--platemap", plate_map, "--model", "tiny-vit.onnx", "--channels", "1,2")
    refused = gandl(*screen, "--out", tmp_path / "refused", "--limits", "card")
    assert refused.code == 2 and "the card of tiny-vit has no intensity limits" in refused.err
    assert gandl(*screen, "--out", tmp_path / "out").code == 0
    with (tmp_path / "out" / "embeddings.parquet").open("rb") as file:
        profiles = read_profiles(file)
    assert profiles.vectors.shape == (30 * 16, 2 * WIDTH)
    assert np.unique(profiles.vectors, axis=0).shape == profiles.vectors.shape


def test_a_file_that_no_service_would_find(gandl: Gandl, tmp_path: Path) -> None:
    model, card = write_network(tmp_path / "net.onnx", token_network()), write_card(tmp_path / "card.json")
    ended = gandl("import-model", model, "--card", card, "--out", tmp_path / "net.bin")
    assert ended.code == 2 and "does not end in .onnx" in ended.err
    ended = gandl("import-model", model, "--card", card, "--out", model)
    assert ended.code == 2 and "is the file of the network itself" in ended.err


def test_no_file_is_replaced_that_nobody_named(gandl: Gandl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, card = write_network(tmp_path / "net.onnx", token_network()), write_card(tmp_path / "tiny.card.json")
    before = card.read_bytes()
    ended = gandl("import-model", model, "--card", card, "--out", tmp_path / "tiny.onnx")
    assert ended.code == 2 and "tiny.onnx would replace" in ended.err and card.read_bytes() == before
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny-vit.onnx").write_bytes(b"mine")
    ended = gandl("import-model", model, "--card", card)
    assert ended.code == 2 and "exists, and is not replaced without being named" in ended.err
    assert (tmp_path / "tiny-vit.onnx").read_bytes() == b"mine"
