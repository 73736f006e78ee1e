"""The metrics of a run: one JSON line per report, the same as TensorBoard scalars, and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LOG, EVENTS, SAMPLES = "log.jsonl", "events", "samples"


class MetricLog:
    """Appends to `log.jsonl` and `events/` of a run. A run that is resumed appends to the same files."""

    def __init__(self, out: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - it takes seconds, and only a run needs it

        self.out = out
        self.events = SummaryWriter(str(out / EVENTS))

    def write(self, kimg: float, metrics: Mapping[str, float]) -> None:
        """Write one entry; the step of TensorBoard is the number of images so far. Raises OSError."""
        with (self.out / LOG).open("a") as file:
            file.write(json.dumps({"kimg": kimg, **metrics}) + "\n")
        for name, value in metrics.items():
            self.events.add_scalar(name, value, round(1000 * kimg))

    def add_picture(self, kimg: float, picture: NDArray[np.uint8]) -> None:
        """Add a picture [H, W, 3] to TensorBoard."""
        self.events.add_image("real | generated", picture, round(1000 * kimg), dataformats="HWC")

    def close(self) -> None:
        """Flush the events to disk."""
        self.events.close()
