"""Metrics of runs, by model."""

from __future__ import annotations

from gandl_embedding.metrics import RunMetrics
from prometheus_client import CollectorRegistry


def test_runs_are_counted_by_model() -> None:
    registry = CollectorRegistry()
    waiting = [3.0]
    metrics = RunMetrics(registry, lambda: waiting[0])
    observe = metrics.observer("two")
    observe(16, 0.5)
    observe(4, 0.25)
    metrics.observer("five")(1, 1.0)
    assert registry.get_sample_value("gandl_embedding_tiles_total", {"model": "two"}) == 20
    assert registry.get_sample_value("gandl_embedding_run_seconds_sum", {"model": "two"}) == 0.75
    assert registry.get_sample_value("gandl_embedding_batch_tiles_bucket", {"model": "two", "le": "4.0"}) == 1
    assert registry.get_sample_value("gandl_embedding_tiles_total", {"model": "five"}) == 1
    waiting[0] = 7.0
    assert registry.get_sample_value("gandl_embedding_queue_tiles") == 7
