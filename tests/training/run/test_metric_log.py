"""The log of a run: one JSON line per entry, the same in TensorBoard, and appended to when a run is resumed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gandl_training.run.metric_log import EVENTS, LOG, MetricLog
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def test_entries_are_lines_of_json_and_scalars_of_tensorboard(tmp_path: Path) -> None:
    for kimg, loss in ((0.5, 1.25), (1.0, 0.75)):  # a run, and its resumption
        log = MetricLog(tmp_path)
        log.write(kimg, {"d": loss, "probe/z_prime_U2OS": -loss})
        log.add_picture(kimg, np.zeros((8, 8, 3), np.uint8))
        log.close()
    entries = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert entries == [
        {"kimg": 0.5, "d": 1.25, "probe/z_prime_U2OS": -1.25},
        {"kimg": 1.0, "d": 0.75, "probe/z_prime_U2OS": -0.75},
    ]
    events = EventAccumulator(str(tmp_path / EVENTS)).Reload()
    assert [(e.step, e.value) for e in events.Scalars("d")] == [(500, 1.25), (1000, 0.75)]
    assert [e.step for e in events.Images("real | generated")] == [500, 1000]


def test_a_log_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    log = MetricLog(tmp_path)
    (tmp_path / LOG).mkdir()
    with pytest.raises(IsADirectoryError):
        log.write(1.0, {"d": 0.5})
    log.close()
