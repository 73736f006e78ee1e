"""A cache that is bounded in bytes."""

from __future__ import annotations

from gandl_analysis.service.pixels.byte_cache import ByteCache


def test_a_value_is_made_once() -> None:
    cache: ByteCache[bytes] = ByteCache(10, len)
    assert cache.get("a", lambda: b"123") == b"123"
    assert cache.get("a", lambda: b"other") == b"123"


def test_the_value_that_was_read_longest_ago_is_dropped_first() -> None:
    cache: ByteCache[bytes] = ByteCache(6, len)
    for key in "ab":
        cache.get(key, lambda: b"123")
    cache.get("a", lambda: b"new")
    cache.get("c", lambda: b"123")
    assert cache.get("a", lambda: b"new") == b"123"
    assert cache.get("b", lambda: b"new") == b"new"


def test_a_value_larger_than_the_cache_is_not_kept() -> None:
    cache: ByteCache[bytes] = ByteCache(2, len)
    cache.get("a", lambda: b"123")
    assert cache.get("a", lambda: b"12") == b"12"
