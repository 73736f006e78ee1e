"""What the service and a decoder tell each other."""

from __future__ import annotations

from gandl_embedding.inputs.messages import LENGTH, Refusal, Reply, head_of
from gandl_shared.errors import Full, InvalidImage, TooLarge


def test_errors_come_back_as_their_class() -> None:
    for error in (TooLarge("a.tif has 10 pixels"), InvalidImage("b")):
        again = Refusal.of(error).as_error()
        assert (type(again), again.detail) == (type(error), error.detail)
    assert type(Refusal(error="OSError", detail="c").as_error()) is InvalidImage
    assert isinstance(Refusal.of(Full("d")).as_error(), Full)


def test_a_head_has_its_length_first() -> None:
    head = head_of(Reply(names=("a",), counts=(1,)))
    assert LENGTH.unpack(head[: LENGTH.size])[0] == len(head) - LENGTH.size
    assert Reply.model_validate_json(head[LENGTH.size :]).names == ("a",)
