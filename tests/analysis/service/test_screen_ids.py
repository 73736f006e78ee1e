"""Text that cannot be the id of a screen is an unknown screen, before a database or a path gets it."""

from __future__ import annotations

import pytest
from gandl_analysis.service.screen_ids import require_screen_id
from gandl_shared.errors import NotFound


@pytest.mark.parametrize("text", ["0123456789abcdef", "a_b-C", "x" * 64])
def test_an_id_is_returned(text: str) -> None:
    assert require_screen_id(text) == text


@pytest.mark.parametrize("text", ["", "..", "../etc", "a b", "a\0b", "x" * 65, "ä", "a\n"])
def test_other_text_is_not_found(text: str) -> None:
    with pytest.raises(NotFound, match="there is no screen"):
        require_screen_id(text)


def test_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(NotFound) as caught:
        require_screen_id("x" * 1000)
    assert len(caught.value.detail) < 120
