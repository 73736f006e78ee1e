"""The card of a foreign model."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_embedding.model_import.card import read_import_card
from gandl_shared.errors import BadInput, Invalid, NotFound

from tests.embedding.fixtures.foreign_models import channels, write_card


def test_a_card_is_read(tmp_path: Path) -> None:
    card = read_import_card(write_card(tmp_path / "card.json"))
    assert (card.name, card.edge, card.channel_mode.value) == ("tiny-vit", 32, "together")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pooling": "max"}, "pooling"),
        ({"pool": "cls"}, "pool: Extra inputs"),
        ({"name": "../out"}, "name"),
        ({"size": None}, "size: Field required"),
        ({"channels": channels("GFP", "GFP", "DNA")}, "a name occurs twice in GFP, GFP, DNA"),
        ({"deviation": None}, "give mean and deviation together"),
        ({"mean": [0.5]}, "deviation: it has 3 numbers and mean has 1"),
        ({"mean": [123.7, 116.3, 103.5], "deviation": [58.4, 57.1, 57.4]}, "set maximum to 255"),
        ({"maximum": 255}, "set maximum to 1"),
        ({"deviation": [0.2, 0, 0.2]}, "do not fit pixels"),
        ({"input_type": "uint8"}, "takes uint8 gets the pixels as they are"),
        ({"input_size": 16}, "input_size: 16 is below size 32"),
        ({"prefix_tokens": 1}, "no effect with pooling cls"),
        ({"channels": [{"name": "GFP", "low": 5, "high": 1}]}, "low 5.0 and high 1.0 of GFP"),
        ({"channels": [{"name": "GFP", "low": 0, "high": 1}, {"name": "DNA"}]}, "for all channels or for none"),
    ],
)
def test_a_card_that_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        read_import_card(write_card(tmp_path / "card.json", **changes))


def test_a_card_that_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    with pytest.raises(NotFound, match="there is no card"):
        read_import_card(path)
    path.write_text("name: x")
    with pytest.raises(Invalid, match=r"the card card\.json cannot be used: card\.json: the whole file: Invalid JSON"):
        read_import_card(path)
    path.write_bytes(b" " * (2**20 + 1))
    with pytest.raises(BadInput, match="so it is no card"):
        read_import_card(path)
