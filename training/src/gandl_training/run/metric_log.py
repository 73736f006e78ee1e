"""What a run writes down: one JSON line a report, the same as TensorBoard scalars, and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LOG, EVENTS, SAMPLES = "log.jsonl", "events", "samples"


class Journal:
    """Appends to `log.jsonl` and `events/` of a run. A run that goes on appends to the same files."""

    def __init__(self, out: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes seconds to import, and only a run needs it

        self.out = out
        self.events = SummaryWriter(str(out / EVENTS))

    def write(self, kimg: float, values: Mapping[str, float]) -> None:
        """One entry; TensorBoard's step is the number of images shown."""
        with (self.out / LOG).open("a") as file:
            file.write(json.dumps({"kimg": kimg, **values}) + "\n")
        for name, value in values.items():
            self.events.add_scalar(name, value, round(1000 * kimg))

    def picture(self, kimg: float, image: NDArray[np.uint8]) -> None:
        """An [H, W, 3] picture for TensorBoard."""
        self.events.add_image("real | generated", image, round(1000 * kimg), dataformats="HWC")

    def close(self) -> None:
        """Flush the events to disk."""
        self.events.close()
