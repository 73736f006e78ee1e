"""Featurizers compared on one screen: how well each separates the controls, its speed, and how similar vectors are."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gandl_embedding.engine import Engine
from gandl_shared.models import ModelCard
from gandl_shared.schemas.quality import GroupQuality
from gandl_shared.store import read_profiles
from numpy.typing import NDArray

from gandl.screening.run import ScreenJob, run

SPEED_TILES, SPEED_ROUNDS = 128, 3


@dataclass(frozen=True, kw_only=True)
class ModelOnScreen:
    """One model on a screen. `quality` is by cell line, out of fold.

    `cosine` is the smallest cosine between its vectors and those of the first model: None for the first model, and
    where the lengths of the vectors or the numbers of tiles differ.
    """

    path: Path
    card: ModelCard
    tiles_per_second: float
    cosine: float | None
    quality: Mapping[str, GroupQuality]

    @property
    def kilobytes(self) -> int:
        """The size of the file."""
        return round(self.path.stat().st_size / 1000)


def compare_models(engines: Mapping[Path, Engine], images: Path, plate_map: Path) -> Iterator[ModelOnScreen]:
    """Screen the same plates with each model. Raises the errors of a screen: BadInput, Invalid, NotEnoughData."""
    first: NDArray[np.float32] | None = None
    for path, engine in engines.items():
        with tempfile.TemporaryDirectory() as folder:
            job = ScreenJob(images=images, plate_map=plate_map, out=Path(folder) / "screen", name=engine.card.name)
            analysis = run(job, engine)
            with (job.out / "embeddings.parquet").open("rb") as file:
                vectors = read_profiles(file).vectors
        cosine = None if first is None else smallest_cosine(first, vectors)
        first = vectors if first is None else first
        yield ModelOnScreen(
            path=path,
            card=engine.card,
            tiles_per_second=tiles_per_second(engine),
            cosine=cosine,
            quality=analysis.quality.cell_lines,
        )


def smallest_cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float | None:
    """Return the smallest cosine over the rows of two tables of vectors [N, F]; None where their shapes differ."""
    if first.shape != second.shape:
        return None
    a, b = first.astype(np.float64), second.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    # A vector of zeros has no direction; the floor makes its cosine 0 instead of NaN.
    return float(((a * b).sum(axis=1) / np.maximum(norms, 1e-300)).min())


def tiles_per_second(engine: Engine) -> float:
    """Return the speed of the best of a few rounds on random tiles; the speed does not depend on their content."""
    card = engine.card
    shape = (SPEED_TILES, len(card.channels), card.size, card.size)
    tiles = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    # The first run of a session plans its memory and would count as slow.
    engine.warm_up()
    best = 0.0
    for _ in range(SPEED_ROUNDS):
        start = time.perf_counter()
        engine.embed(tiles)
        best = max(best, SPEED_TILES / (time.perf_counter() - start))
    return best
