"""Patterns over paths: the same answers by both engines, and none that takes long."""

from __future__ import annotations

import itertools

import pytest
from gandl_shared.files import path_patterns
from gandl_shared.files.path_patterns import Part, PathPattern

ANY = Part(expression="[^/]*?", is_wildcard=True)
PATTERN = PathPattern(
    (
        Part(expression="[^/]+", name="plate", is_wildcard=True),
        Part(expression="/"),
        ANY,
        Part(expression="_"),
        Part(expression=r"\d+", name="site", is_wildcard=True),
        Part(expression=r"\.tif"),
    )
)


def test_both_engines_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = ("P1/", "a", "_", "12", ".tif", "/", "é")
    paths = ["".join(each) for each in itertools.product(pieces, repeat=5)]
    expected = [PATTERN.search(path) for path in paths]
    assert sum(each is not None for each in expected) > 10
    monkeypatch.setattr(path_patterns, "MAX_WILDCARDS", 0)
    linear = PathPattern(PATTERN.parts)
    assert [linear.search(path) for path in paths] == expected


def test_case_and_names_that_are_no_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_patterns, "MAX_WILDCARDS", 0)
    assert PathPattern(PATTERN.parts).search("P/a_1.TIF") == {"plate": "P", "site": "1"}
    assert PathPattern(PATTERN.parts, match_case=True).search("P/a_1.TIF") is None
    assert PathPattern(PATTERN.parts).search("P/\udc80_1.tif") is None
    assert PathPattern(PATTERN.parts).search("P/" + "a" * 5000 + "_1.tif") is None
