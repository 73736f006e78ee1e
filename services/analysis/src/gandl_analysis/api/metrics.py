"""Prometheus metrics of the work in the database: what waits, what runs, and what waits for something that is away.

Workers are scaled by the first of them, and no worker has to be asked for any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gandl_shared.db import Database
from gandl_shared.errors import Unavailable
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_WORK = {
    "ready": "Batches and analyses that a worker could take now",
    "leased": "Batches and analyses that a worker has",
    "away": "Batches and analyses that wait for something that is away",
}


class WorkMetrics(Collector):
    """Counts the work at each scrape; `database` returns the open database, or None before the start."""

    def __init__(self, database: Callable[[], Database | None]) -> None:
        self._database = database

    def describe(self) -> Iterator[Metric]:
        """Yield the names, so that a registry does not have to count in order to know them."""
        for name, text in _WORK.items():
            yield GaugeMetricFamily(f"gandl_work_{name}", text, labels=["kind"])
        yield GaugeMetricFamily("gandl_screens", "Screens by their stored state", labels=["state"])
        yield GaugeMetricFamily("gandl_database_up", "1 if the database answers")

    def collect(self) -> Iterator[Metric]:
        """Yield the counts. Only gandl_database_up is there while the database does not answer."""
        database = self._database()
        try:
            counts = None if database is None else database.work_counts()
        except Unavailable:
            counts = None
        yield GaugeMetricFamily("gandl_database_up", "1 if the database answers", value=float(counts is not None))
        if counts is None:
            return
        for name, text in _WORK.items():
            family = GaugeMetricFamily(f"gandl_work_{name}", text, labels=["kind"])
            for kind, of_kind in (("batches", counts.batches), ("analyses", counts.analyses)):
                family.add_metric([kind], getattr(of_kind, name))
            yield family
        screens = GaugeMetricFamily("gandl_screens", "Screens by their stored state", labels=["state"])
        for state, count in counts.screens.items():
            screens.add_metric([state], count)
        yield screens
