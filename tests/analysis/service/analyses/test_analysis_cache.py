"""The cache of analyses: one reading for several readers, errors, and what is dropped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.service.analyses.analysis_cache import AnalysisCache
from gandl_shared.errors import NotFound


def empty_analysis() -> ScreenAnalysis:
    return ScreenAnalysis.model_construct(wells=(), curves=())


def test_readers_at_the_same_time_share_one_reading() -> None:
    reads: list[tuple[str, int]] = []
    is_reading, may_end = Event(), Event()

    def read(screen: str, version: int) -> ScreenAnalysis:
        reads.append((screen, version))
        is_reading.set()
        assert may_end.wait(60)
        return empty_analysis()

    cache = AnalysisCache(read, 2)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get, "a", 1)
        assert is_reading.wait(60)
        second = pool.submit(cache.get, "a", 1)
        may_end.set()
        assert first.result() is second.result()
    assert reads == [("a", 1)]


def test_an_error_is_not_kept() -> None:
    answers: list[NotFound | ScreenAnalysis] = [NotFound("screen 'a' has no result"), empty_analysis()]

    def read(screen: str, version: int) -> ScreenAnalysis:
        answer = answers.pop(0)
        if isinstance(answer, NotFound):
            raise answer
        return answer

    cache = AnalysisCache(read, 2)
    with pytest.raises(NotFound, match="has no result"):
        cache.get("a", 1)
    assert cache.get("a", 1) is cache.get("a", 1)


def test_the_least_recently_read_one_is_dropped_first() -> None:
    reads: list[str] = []

    def read(screen: str, version: int) -> ScreenAnalysis:
        reads.append(screen)
        return empty_analysis()

    cache = AnalysisCache(read, 2)
    for screen in ("a", "b", "a", "c", "a", "b"):
        cache.get(screen, 1)
    assert reads == ["a", "b", "c", "b"]
