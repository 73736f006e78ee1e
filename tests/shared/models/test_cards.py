"""The model card and the identity of a model."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from gandl_shared.errors import InvalidModel
from gandl_shared.models import METADATA_KEY, Channel, card_from_metadata, model_id
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.testing import fake_card


def test_a_card_comes_back_from_the_metadata_of_a_file() -> None:
    card = fake_card(3, downscale=2)
    assert card_from_metadata({METADATA_KEY: card.model_dump_json()}, file="a.onnx") == card


def test_a_file_without_a_card_is_not_a_featurizer_of_gandl() -> None:
    with pytest.raises(InvalidModel, match=r"a\.onnx has no gandl model card; export one"):
        card_from_metadata({"producer": "another tool"}, file="a.onnx")


@pytest.mark.parametrize(
    ("text", "field"),
    [("{}", "name"), ("not JSON", "the top"), (fake_card().model_dump_json().replace('"size":16', '"size":1'), "size")],
)
def test_an_invalid_card_names_the_file_and_the_field(text: str, field: str) -> None:
    with pytest.raises(InvalidModel, match=rf"a\.onnx: the model card is invalid at {field}"):
        card_from_metadata({METADATA_KEY: text}, file="a.onnx")


def test_the_limits_of_a_card_are_those_of_its_channels_in_order() -> None:
    channels = (Channel(name="DNA", low=1.5, high=200), Channel(name="GFP", low=0, high=99))
    card = fake_card(2).model_copy(update={"channels": channels})
    assert card.limits == IntensityLimits(low=(1.5, 0.0), high=(200.0, 99.0))


def test_the_identity_of_a_model_is_the_hash_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"weights" * 100_000)
    assert model_id(path) == hashlib.sha256(path.read_bytes()).hexdigest()
