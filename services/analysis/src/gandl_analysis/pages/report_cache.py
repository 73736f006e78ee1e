"""The most recently rendered reports, because drawing one takes seconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

MAX_CACHED_REPORTS = 8


@dataclass(frozen=True, kw_only=True)
class ReportKey:
    """Everything that decides the page of a report: a stored version of an analysis never changes.

    `assessments` are the numbers of the decisions of people that stand beside its curves."""

    base: str
    screen_id: str
    version: int
    requested: int | None = None
    newest: int | None = None
    state: str
    error: str | None
    may_edit: bool = False
    assessments: tuple[int, ...] = ()


class ReportCache:
    """Rendered reports by key; the oldest one is dropped first. It may be used from several threads."""

    def __init__(self, max_reports: int = MAX_CACHED_REPORTS) -> None:
        self._max_reports = max_reports
        self._reports: OrderedDict[ReportKey, str] = OrderedDict()
        self._lock = Lock()

    def get(self, key: ReportKey, render: Callable[[], str]) -> str:
        """Return the report of a key, and render it if it is not stored. Readers who ask at the same time wait."""
        cached = self._reports.get(key)
        if cached is not None:
            return cached
        # Reports are rendered one after the other: matplotlib writes one SVG at a time anyway, and a screen that is
        # done is often opened by several readers at once.
        with self._lock:
            if key not in self._reports:
                self._reports[key] = render()
            report = self._reports[key]
            while len(self._reports) > self._max_reports:
                self._reports.popitem(last=False)
        return report
