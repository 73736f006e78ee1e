"""Prometheus metrics of the models: tiles, sizes and times of runs, and tiles that wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gandl_shared.web.metrics import Durations
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

STAGES = ("decode", "queue", "compute")
_BATCH_SIZES = [2**i for i in range(11)]


class RunMetrics:
    """Metrics of all models of a service; `waiting` returns how many tiles wait at the moment."""

    def __init__(self, registry: CollectorRegistry, waiting: Callable[[], float]) -> None:
        self._tiles = Counter("gandl_embedding_tiles", "Tiles embedded", ["model"], registry=registry)
        self._batch = Histogram(
            "gandl_embedding_batch_tiles", "Tiles of one run", ["model"], buckets=_BATCH_SIZES, registry=registry
        )
        self._seconds = Histogram("gandl_embedding_run_seconds", "Seconds of one run", ["model"], registry=registry)
        self._stages = Durations(
            "gandl_embedding_stage_seconds",
            "Seconds of a request in decode, queue and compute",
            ["model", "stage"],
            registry,
        )
        self._cache = Counter(
            "gandl_embedding_cache_requests", "Requests by hit or miss", ["outcome"], registry=registry
        )
        Gauge("gandl_embedding_queue_tiles", "Tiles waiting", registry=registry).set_function(waiting)

    def observer(self, model: str) -> Callable[[int, float], None]:
        """Return the function that the batcher of a model calls after each run."""

        # Looking up a series by its labels takes longer than counting.
        count, batch, duration = self._tiles.labels(model), self._batch.labels(model), self._seconds.labels(model)

        def observe(tiles: int, seconds: float) -> None:
            count.inc(tiles)
            batch.observe(tiles)
            duration.observe(seconds)

        return observe

    def observe_cache(self, *, is_hit: bool) -> None:
        """Count a request that was looked for in the cache."""
        self._cache.labels("hit" if is_hit else "miss").inc()

    def stages_observer(self, model: str) -> Callable[[Mapping[str, float]], None]:
        """Return the function that counts the seconds of a request by stage."""
        series = {stage: self._stages.labels(model, stage) for stage in STAGES}

        def observe(stages: Mapping[str, float]) -> None:
            for stage, seconds in stages.items():
                series[stage](seconds)

        return observe
