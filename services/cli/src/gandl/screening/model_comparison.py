"""Featurizers compared on one screen: how well each separates the controls, its speed, and how similar vectors are."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from gandl_embedding.engine import Engine, Precision, agreement, processor
from gandl_shared.clients.wire import PrecisionCheck
from gandl_shared.models import Embedder, ModelCard
from gandl_shared.schemas.quality import GroupQuality
from gandl_shared.store import read_profiles
from numpy.typing import NDArray

from gandl.screening.featurizers import TileOptions, screen_featurizer
from gandl.screening.run import ScreenJob, run

SPEED_TILES, SPEED_ROUNDS, MAX_ROUND_SECONDS = 128, 3, 5.0


@dataclass(frozen=True, kw_only=True)
class ModelOnScreen:
    """One model on a screen. `quality` is by cell line, out of fold; `path` is None for a baseline.

    `cosine` is the smallest cosine between its vectors and those of the first model: None for the first model, and
    where the lengths of the vectors or the numbers of tiles differ.
    """

    path: Path | None
    card: ModelCard
    tiles_per_second: float
    cosine: float | None
    quality: Mapping[str, GroupQuality]

    @property
    def name(self) -> str:
        """The name of the file without its ending, or of the baseline."""
        return self.card.name if self.path is None else self.path.stem

    @property
    def kilobytes(self) -> int | None:
        """The size of the file."""
        return None if self.path is None else round(self.path.stat().st_size / 1000)


def compare_models(
    engines: Mapping[Path, Engine], images: Path, plate_map: Path, baselines: Sequence[str] = ()
) -> Iterator[ModelOnScreen]:
    """Screen the same plates with each model and then with the baselines, which get the tiles of the first model.

    Raises the errors of a screen: BadInput, Invalid, NotEnoughData.
    """
    first: NDArray[np.float32] | None = None
    tiles = TileOptions(like=next(iter(engines), None))
    sources: list[Path | str] = [*engines, *baselines]
    for source in sources:
        job = ScreenJob(images=images, plate_map=plate_map, out=Path(), name="comparison")
        embedder = engines[source] if isinstance(source, Path) else screen_featurizer(source, job, tiles)
        quality, vectors = _screened(embedder, job)
        cosine = None if first is None else smallest_cosine(first, vectors)
        first = vectors if first is None else first
        yield ModelOnScreen(
            path=source if isinstance(source, Path) else None,
            card=embedder.card,
            tiles_per_second=tiles_per_second(embedder),
            cosine=cosine,
            quality=quality,
        )


def check_precision(path: Path, precision: Precision, images: Path, plate_map: Path) -> PrecisionCheck:
    """Screen plates with a model as its file is and in another precision, and return how near both are.

    Raises what `Engine.load` raises, and the errors of a screen.
    """
    job = ScreenJob(images=images, plate_map=plate_map, out=Path(), name="comparison")
    of_file, other = Engine.load(path), Engine.load(path, precision=precision)
    quality, reference = _screened(of_file, job)
    changed, vectors = _screened(other, job)
    return PrecisionCheck(
        model_id=other.model_id,
        precision=precision,
        processor=processor(),
        screen=images.resolve().parent.name,
        tiles=len(vectors),
        agreement=agreement(vectors, reference),
        z_prime={name: group.z_prime for name, group in changed.items()},
        z_prime_of_file={name: group.z_prime for name, group in quality.items()},
        speed=tiles_per_second(other) / tiles_per_second(of_file),
    )


def _screened(embedder: Embedder, job: ScreenJob) -> tuple[Mapping[str, GroupQuality], NDArray[np.float32]]:
    """Screen plates and return the quality by cell line and the vectors [N, F]; the files of the screen are removed."""
    with tempfile.TemporaryDirectory() as folder:
        job = replace(job, out=Path(folder) / "screen", name=embedder.card.name)
        analysis = run(job, embedder)
        with (job.out / "embeddings.parquet").open("rb") as file:
            return analysis.quality.cell_lines, read_profiles(file).vectors


def smallest_cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float | None:
    """Return the smallest cosine over the rows of two tables of vectors [N, F]; None where their shapes differ."""
    if first.shape != second.shape:
        return None
    a, b = first.astype(np.float64), second.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    # A vector of zeros has no direction; the floor makes its cosine 0 instead of NaN.
    return float(((a * b).sum(axis=1) / np.maximum(norms, 1e-300)).min())


def tiles_per_second(embedder: Embedder) -> float:
    """Return the speed of the best of a few rounds on random tiles; that of a network does not depend on the content.

    A featurizer that needs longer than a few seconds is asked once.
    """
    card = embedder.card
    shape = (SPEED_TILES, len(card.channels), card.size, card.size)
    tiles = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    # The first run of a session plans its memory and may count as slow.
    best = _speed(embedder, tiles)
    if SPEED_TILES / best > MAX_ROUND_SECONDS:
        return best
    return max(best, *(_speed(embedder, tiles) for _ in range(SPEED_ROUNDS)))


def _speed(embedder: Embedder, tiles: NDArray[np.uint8]) -> float:
    start = time.perf_counter()
    embedder.embed(tiles)
    return len(tiles) / (time.perf_counter() - start)
