"""Streams of random numbers that never overlap."""

from __future__ import annotations

from itertools import product

from gandl.simulate.seeds import Stream, stream


def test_equal_keys_give_equal_numbers() -> None:
    assert stream(5, Stream.WELL, 3, 7).random(4).tolist() == stream(5, Stream.WELL, 3, 7).random(4).tolist()


def test_every_use_and_key_has_numbers_of_its_own() -> None:
    first = {
        stream(seed, use, *key).random() for seed, use, key in product((0, 1), Stream, [(0,), (1,), (0, 0), (0, 1)])
    }
    assert len(first) == 2 * len(Stream) * 4
