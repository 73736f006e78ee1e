"""Options of image files."""

from __future__ import annotations

import pytest
from gandl.screening.image_options import channel_list, limit_source
from gandl_shared.errors import BadInput


def test_channels_are_separated_by_commas() -> None:
    assert channel_list("1,2,4") == ("1", "2", "4")
    assert channel_list(None) is None


def test_limits_come_from_the_plate_or_the_card() -> None:
    assert [limit_source(name) for name in ("plate", "card")] == ["plate", "card"]
    with pytest.raises(BadInput, match="--limits percentiles is unknown; use card or plate"):
        limit_source("percentiles")
