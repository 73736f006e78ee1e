"""Featurizers side by side on one screen: how well each separates its controls, how fast, how alike their vectors."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gandl_embedding.engine import Engine
from gandl_shared.schemas.quality import GroupQuality
from gandl_shared.schemas.screen import ScreenRequest
from gandl_shared.store import read_profiles
from numpy.typing import NDArray

from gandl.screening import ScreenJob, run

SPEED_TILES, SPEED_ROUNDS = 128, 3


@dataclass(frozen=True)
class Compared:
    """One model. `cosine` is the smallest cosine of its vectors to those of the first model, None for the first and
    where lengths or tiles differ; `quality` by cell line, out of fold."""

    path: Path
    tiles_per_second: float
    cosine: float | None
    quality: Mapping[str, GroupQuality]

    @property
    def kilobytes(self) -> int:
        """Size of the file."""
        return round(self.path.stat().st_size / 1000)


def compare_models(engines: Mapping[Path, Engine], images: Path, plate_map: Path) -> Iterator[Compared]:
    """Screen the same plates with each model. Raises what a screen raises: BadInput, Invalid, NotEnoughData."""
    first: NDArray[np.float32] | None = None
    for path, engine in engines.items():
        request = ScreenRequest(name=engine.card.name, images=str(images), plate_map=str(plate_map))
        with tempfile.TemporaryDirectory() as folder:
            job = ScreenJob(request, images, plate_map, Path(folder) / "screen")
            analysis = run(job, engine, on_progress=lambda _: None, on_step=lambda _: None)
            with (job.out / "embeddings.parquet").open("rb") as file:
                vectors = read_profiles(file).vectors
        cosine = None if first is None else smallest_cosine(first, vectors)
        first = vectors if first is None else first
        yield Compared(path, tiles_per_second(engine), cosine, analysis.quality.cell_lines)


def smallest_cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float | None:
    """Over the rows of two tables of vectors [N, F]; None where their shapes differ."""
    if first.shape != second.shape:
        return None
    a, b = first.astype(np.float64), second.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / np.maximum(norms, 1e-300)).min())


def tiles_per_second(engine: Engine) -> float:
    """The best of a few rounds on tiles of noise, one at a time being no faster for the model than another."""
    card = engine.card
    shape = (SPEED_TILES, len(card.channels), card.size, card.size)
    tiles = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    engine.warm_up()
    best = 0.0
    for _ in range(SPEED_ROUNDS):
        start = time.perf_counter()
        engine.embed(tiles)
        best = max(best, SPEED_TILES / (time.perf_counter() - start))
    return best
