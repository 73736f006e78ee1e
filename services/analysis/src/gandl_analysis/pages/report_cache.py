"""The most recently rendered reports, because drawing one takes seconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

MAX_CACHED_REPORTS = 8


@dataclass(frozen=True, kw_only=True)
class ReportKey:
    """Everything that decides the page of a report: a stored version of an analysis never changes."""

    base: str
    screen_id: str
    version: int
    state: str
    error: str | None


class ReportCache:
    """Rendered reports by key; the oldest one is dropped first. It may be used from several threads."""

    def __init__(self, max_reports: int = MAX_CACHED_REPORTS) -> None:
        self._max_reports = max_reports
        self._reports: OrderedDict[ReportKey, str] = OrderedDict()
        self._lock = Lock()

    def get(self, key: ReportKey, render: Callable[[], str]) -> str:
        """Return the report of a key, rendered at most once unless two threads ask for it at the same time."""
        with self._lock:
            cached = self._reports.get(key)
        if cached is not None:
            return cached
        # The lock is free while a report is drawn, so that other pages need not wait for it.
        report = render()
        with self._lock:
            self._reports[key] = report
            while len(self._reports) > self._max_reports:
                self._reports.popitem(last=False)
        return report
