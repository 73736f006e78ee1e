"""Names of channels to the inputs of a model."""

from __future__ import annotations

import pytest
from gandl_embedding.inputs.channel_order import channel_names, channel_order, files_by_channel
from gandl_embedding.inputs.uploads import Upload
from gandl_shared.errors import Invalid

from tests.embedding.fixtures.tiny_model import tiny_card

CARD = tiny_card(channels=3)


def file(field: str, name: str = "a") -> Upload:
    return Upload(field=field, filename=name, content=b"")


def test_names_give_an_order() -> None:
    assert channel_order((), CARD) is None
    assert channel_order(("C2", " c0", "C1"), CARD) == [1, 2, 0]
    assert channel_names(CARD) == "C0, C1, C2"
    for names in (("C0", "C1"), ("C0", "C0", "C1"), ("C0", "C1", "C3")):
        with pytest.raises(Invalid, match="each once: C0, C1, C2"):
            channel_order(names, CARD)


def test_fields_named_as_channels_become_images() -> None:
    files = [file("C1", "a1"), file("C0", "a0"), file("C2", "a2"), file("C0", "b0"), file("c1", "b1"), file("C2", "b2")]
    assert [f.filename for f in files_by_channel(files, CARD) or ()] == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert files_by_channel([file("image")], CARD) is None
    assert files_by_channel([], CARD) is None
