"""The cache of reports: rendered once per key, the oldest dropped, nothing stored of a failure."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from gandl_analysis.pages.report_cache import ReportCache, ReportKey

KEY = ReportKey(base="", screen_id="one", version=1, state="done", error=None)


class Renderer:
    """Renders a numbered page and counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"page {self.count}"


def test_a_report_is_rendered_once_per_key() -> None:
    cache, render = ReportCache(), Renderer()
    assert [cache.get(KEY, render), cache.get(replace(KEY), render)] == ["page 1", "page 1"]
    for other in ({"version": 2}, {"base": "/gandl"}, {"screen_id": "two"}, {"state": "failed"}, {"error": "no disk"}):
        cache.get(replace(KEY, **other), render)  # type: ignore[arg-type]
    assert render.count == 6


def test_the_oldest_report_is_dropped() -> None:
    cache, render = ReportCache(max_reports=2), Renderer()
    for version in (1, 2, 3):
        cache.get(replace(KEY, version=version), render)
    assert cache.get(replace(KEY, version=3), render) == "page 3"
    assert cache.get(KEY, render) == "page 4"


def test_readers_at_the_same_time_share_one_rendering() -> None:
    cache, render, begun = ReportCache(), Renderer(), Event()

    def slow() -> str:
        begun.set()
        time.sleep(0.05)
        return render()

    with ThreadPoolExecutor(4) as readers:
        first = readers.submit(cache.get, KEY, slow)
        begun.wait()
        others = [readers.submit(cache.get, KEY, slow) for _ in range(3)]
    assert {future.result() for future in (first, *others)} == {"page 1"}


def test_a_failure_is_not_stored() -> None:
    def fail() -> str:
        raise ValueError("no analysis")

    cache = ReportCache()
    with pytest.raises(ValueError, match="no analysis"):
        cache.get(KEY, fail)
    assert cache.get(KEY, Renderer()) == "page 1"
