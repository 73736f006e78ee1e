"""Chains of directories without an end, with too many pages, or with tags that claim the same bytes."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from gandl_shared.errors import InvalidImage, TooLarge
from gandl_shared.imaging import decode
from gandl_shared.imaging.safety.tiff_directories import MAX_TAGS, check_directories

from benchmarks.hostile.crafted import HEAD, chain, one_page, page
from benchmarks.hostile.seeds import valid_tiffs


@pytest.mark.parametrize(("pages", "target"), [(1, 0), (2, 0), (5, 3), (300, 7)])
def test_a_circle_ends(pages: int, target: int) -> None:
    with pytest.raises(InvalidImage, match=r"directories of a\.tif form a circle"):
        check_directories(io.BytesIO(chain(pages, target)), "a.tif")


@pytest.mark.parametrize("content", valid_tiffs().values(), ids=valid_tiffs().keys())
def test_right_files_pass_and_stay_at_their_start(content: bytes) -> None:
    file = io.BytesIO(content)
    check_directories(file, "a.tif")
    assert file.tell() == 0


def test_pages_and_sub_directories_are_counted() -> None:
    check_directories(io.BytesIO(chain(50)), "a.tif", 50)
    start = time.perf_counter()
    for content in (chain(51), chain(20_000), one_page([(330, 4, 50, 8)])):
        with pytest.raises(TooLarge, match="more than 50 pages"):
            check_directories(io.BytesIO(content), "a.tif", 50)
    assert time.perf_counter() - start < 1


def test_tags_that_claim_more_than_the_file_has() -> None:
    with pytest.raises(TooLarge, match=r"claim \d+ bytes of a file of"):
        check_directories(io.BytesIO(one_page([(270, 2, 2**31, 8)])), "a.tif")
    with pytest.raises(InvalidImage, match=f"has {MAX_TAGS + 1} tags"):
        check_directories(io.BytesIO(HEAD + page(0, [(300 + i, 3, 1, 1) for i in range(MAX_TAGS + 1)])), "a.tif")


@pytest.mark.parametrize(
    "content", [b"II*\0", b"II*\0\x08\0\0\0", b"MM\0*", b"II+\0", b"II+\0\x08\0\0\0" + b"\xff" * 8, HEAD + page(0, [])]
)
def test_heads_without_pages_are_refused_by_name(content: bytes) -> None:
    with pytest.raises(InvalidImage, match=r"a\.tif"):
        decode(content, "a.tif")


def test_a_strip_that_is_empty_or_missing_is_not_black() -> None:
    for changes in ([(279, 4, 1, 0)], [(278, 4, 1, 1)], [(273, 4, 0, 0), (279, 4, 0, 0)]):
        with pytest.raises(InvalidImage, match=r"a\.tif"):
            decode(one_page([], changes), "a.tif")
    assert decode(one_page([]), "a.tif").shape == (1, 64, 64)
    assert np.array_equal(decode(one_page([]), "a.tif"), np.zeros((1, 64, 64)))
