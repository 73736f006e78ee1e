"""Stored analyses in memory: each one is read once, however many readers ask for it at the same time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock

from gandl_analysis.pipeline.result import ScreenAnalysis

Key = tuple[str, int]
"""A screen and a version of its analysis."""


class AnalysisCache:
    """At most `max_analyses` analyses, of which the least recently read ones are dropped first.

    `read` reads one from the store. Its error reaches all readers who wait for it, and the next reader tries again.
    """

    def __init__(self, read: Callable[[str, int], ScreenAnalysis], max_analyses: int) -> None:
        self._read, self._max_analyses = read, max_analyses
        self._analyses: OrderedDict[Key, Future[ScreenAnalysis]] = OrderedDict()
        self._lock = Lock()

    def get(self, screen: str, version: int) -> ScreenAnalysis:
        """Return an analysis; a reader who comes while another one reads it waits for that one."""
        key = screen, version
        with self._lock:
            other = self._analyses.get(key)
            if other is None:
                own: Future[ScreenAnalysis] = Future()
                self._analyses[key] = own
                if len(self._analyses) > self._max_analyses:
                    self._analyses.popitem(last=False)
            else:
                self._analyses.move_to_end(key)
        return self._read_into(own, key) if other is None else other.result()

    def _read_into(self, own: Future[ScreenAnalysis], key: Key) -> ScreenAnalysis:
        try:
            own.set_result(self._read(*key))
        except BaseException as error:
            with self._lock:
                if self._analyses.get(key) is own:
                    del self._analyses[key]
            own.set_exception(error)
            raise
        return own.result()
