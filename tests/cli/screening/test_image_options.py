"""Options of image files."""

from __future__ import annotations

import pytest
from gandl.screening.image_options import ImageOptions, limit_source
from gandl_shared.errors import BadInput
from gandl_shared.schemas.choice import ImageChoice, MissingChannels


def test_channels_are_separated_by_commas() -> None:
    assert ImageOptions(channels="1, 2,4").channel_list == ("1", "2", "4")
    assert ImageOptions().channel_list is None


def test_choices_that_were_not_made_stay_open() -> None:
    assert ImageOptions().choice == ImageChoice()
    options = ImageOptions(z="focus", timepoint="2", missing=MissingChannels.SKIP)
    assert options.choice == ImageChoice(z="focus", timepoint="2", missing=MissingChannels.SKIP)


def test_limits_come_from_the_plate_or_the_card() -> None:
    assert [limit_source(name) for name in ("plate", "card")] == ["plate", "card"]
    with pytest.raises(BadInput, match="--limits percentiles is unknown; use card or plate"):
        limit_source("percentiles")
