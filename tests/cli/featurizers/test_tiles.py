"""The form of tiles."""

from __future__ import annotations

import pytest
from gandl.featurizers.tiles import TileForm, baseline_card
from gandl_shared.errors import Invalid

from tests.cli.featurizers.tile_samples import FORM
from tests.embedding.fixtures.tiny_model import tiny_card


def test_a_baseline_takes_the_tiles_of_a_model() -> None:
    card = tiny_card(size=32, downscale=3)
    form = TileForm.of_card(card)
    assert (form.channels, form.size, form.downscale, form.values_per_tile) == (card.channels, 32, 3, 2 * 32 * 32)


def test_a_card_without_limits_says_what_to_use_instead() -> None:
    card = baseline_card("intensity", FORM, layer="statistics", features=21)
    with pytest.raises(Invalid, match="the card of intensity has no intensity limits.*--limits plate"):
        assert card.limits
