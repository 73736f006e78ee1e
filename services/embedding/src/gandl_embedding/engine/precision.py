"""The precision of the arithmetic, where it is not that of the model file, and how near its vectors are."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import numpy as np
from gandl_shared.clients.wire import Agreement, PrecisionCheck
from numpy.typing import NDArray
from pydantic import ValidationError

CHECK_TILES = 12
MAX_CHECK_BYTES = 2**20
MIN_COSINE = 0.999
"""The smallest cosine to the vectors of the model file that another precision may have."""


class Precision(StrEnum):
    """A precision that can be asked for instead of that of the model file."""

    BFLOAT16 = "bfloat16"


def varied_tiles(channels: int, size: int) -> NDArray[np.uint8]:
    """Return tiles [N, C, S, S] from dark to bright, from smooth to rough, with a black and a white one at the end."""
    rng = np.random.default_rng(0)
    shape = (CHECK_TILES, channels, size, size)
    ramp = np.linspace(-1, 1, size)
    levels, slopes = rng.uniform(30, 220, (*shape[:2], 1, 1)), rng.uniform(-60, 60, (2, *shape[:2], 1, 1))
    smooth = levels + slopes[0] * ramp[:, None] + slopes[1] * ramp
    tiles = smooth + rng.normal(0, 1, shape) * rng.uniform(0, 40, (CHECK_TILES, 1, 1, 1))
    tiles[-2], tiles[-1] = 0, 255
    rounded: NDArray[np.uint8] = np.clip(np.rint(tiles), 0, 255).astype(np.uint8)
    return rounded


def agreement(vectors: NDArray[np.float32], reference: NDArray[np.float32]) -> Agreement:
    """Return the largest relative difference and the smallest cosine over the rows of two tables [N, F]."""
    a, b = vectors.astype(np.float64), reference.astype(np.float64)
    norms = np.maximum(np.linalg.norm(b, axis=1), 1e-300)
    cosine = (a * b).sum(axis=1) / np.maximum(np.linalg.norm(a, axis=1) * norms, 1e-300)
    return Agreement(relative_max=float((np.linalg.norm(a - b, axis=1) / norms).max()), cosine_min=float(cosine.min()))


def check_file(model: Path) -> Path:
    """Return the file beside a model in which the check of a precision is kept."""
    return model.with_suffix(".precision.json")


def read_check(model: Path, model_id: str, precision: Precision) -> PrecisionCheck | None:
    """Return the check that is kept for a model and a precision; None where there is none that can be read."""
    file = check_file(model)
    try:
        if file.stat().st_size <= MAX_CHECK_BYTES:
            check = PrecisionCheck.model_validate_json(file.read_bytes())
            return check if (check.model_id, check.precision) == (model_id, precision) else None
    except (OSError, ValidationError):
        pass  # what cannot be read says nothing
    return None
