"""One session over one model file: tiles in, vectors out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from gandl_shared.clients.wire import Agreement
from gandl_shared.errors import Invalid, InvalidModel, Unavailable
from gandl_shared.files.regular import read_regular
from gandl_shared.models import ModelCard
from gandl_shared.models.numerics import Numerics
from numpy.typing import NDArray

from gandl_embedding.engine.devices import gpu, instructions
from gandl_embedding.engine.onnx_session import CPU, CUDA, open_session
from gandl_embedding.engine.openvino_session import OPENVINO, OpenVinoSession
from gandl_embedding.engine.precision import MIN_COSINE, Precision, agreement, varied_tiles
from gandl_embedding.engine.sized_sessions import Session, SizedSessions, largest_power_of_two, smallest_run
from gandl_embedding.external_data import check_self_contained

MAX_MODEL_BYTES = 2**31 - 1
"""The largest protobuf, and an ONNX file is one."""
_NAMES = {CPU: "cpu", CUDA: "cuda", OPENVINO: "openvino"}

CPU_PIXELS = 2**16
"""Pixels of one internal batch on a CPU: 16 tiles of 64 × 64. This was measured (benchmarks/serving): in smaller
batches the cost of a call dominates, and larger ones do not leave the first blocks' activations in the caches."""

GPU_PIXELS = 2**20
"""Pixels of one internal batch on a GPU: 256 tiles of 64 × 64."""

MARGIN = 0.05
"""The smallest batch is chosen that takes at most this share longer than the fastest one: while one run of many
requests is computed, the answers of another are sent and its clients ask again."""
MAX_DIFFERENCE = 1e-6
"""The largest difference of vectors between batches on a GPU, relative to the largest number."""
_REPEATS = 3
SLOW_SECONDS = 0.5
"""A model that takes longer for the tiles of the default batch is timed by one call for each batch: that says enough,
and a start should not wait for more."""
MAX_MEASURING_SECONDS = 20.0
"""A machine that needs longer to measure a batch is too busy for its times to say anything."""

Uint8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]


class Engine:
    """A loaded featurizer, which implements `gandl_shared.models.Embedder`. Several threads may call it."""

    def __init__(
        self,
        session: Session,
        card: ModelCard,
        model_id: str,
        threads: int | None = None,
        agreement: Agreement | None = None,
    ) -> None:
        self.threads = threads
        self.agreement = agreement
        """How near its vectors are to those in the precision of the model file, None where they are these."""
        self._session = session
        self._card = card
        self._model_id = model_id
        self._batch = batch_size(card.size, session.provider)

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        precision: Precision | None = None,
    ) -> Engine:
        """Load a model on `threads` CPU cores (None: all) with the first available one of `providers` (None: the CPU).

        With a `precision`, the processor computes in it instead of in that of the file. Raises NotFound if there is no
        file, InvalidModel if it is not an ONNX file, has weights in another file, has no gandl card or a graph that
        differs from its card, or vectors in the precision differ too much; Unavailable if none of `providers`, or the
        precision, works here.
        """
        # The file is read once: its hash, its check and its session belong to the same bytes.
        return cls.of_bytes(read_model_file(path), path.name, threads=threads, providers=providers, precision=precision)

    @classmethod
    def of_bytes(
        cls,
        data: bytes,
        name: str,
        *,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        precision: Precision | None = None,
    ) -> Engine:
        """Load a model from the bytes of its file; errors call it `name`. Raises as `load` does."""
        check_self_contained(data, name)
        session, card = open_session(data, name, threads, providers or (CPU,))
        identity = hashlib.sha256(data).hexdigest()
        engine = cls(session, card, identity, threads)
        if precision is None:
            return engine
        if session.provider != CPU:
            raise Unavailable(f"{precision} is for models on the CPU, and this one runs by {session.provider}")
        tiles = varied_tiles(len(card.channels), card.size)
        other = cls(OpenVinoSession(data, name, threads), card, identity, threads)
        other.agreement = agreement(other.embed(tiles), engine.embed(tiles))
        if not other.agreement.cosine_min >= MIN_COSINE:
            raise InvalidModel(
                f"{name} does not suit {precision}: the cosine to its vectors in {card.precision} goes down to "
                f"{other.agreement.cosine_min:.4f}, and {MIN_COSINE} is needed; leave the precision out"
            )
        return other

    @property
    def card(self) -> ModelCard:
        """The card of the model."""
        return self._card

    @property
    def model_id(self) -> str:
        """SHA-256 of the model file, hex."""
        return self._model_id

    @property
    def provider(self) -> str:
        """The execution provider of ONNX Runtime in use, such as CPUExecutionProvider; or OpenVINO."""
        return self._session.provider

    @property
    def numerics(self) -> Numerics:
        """How it computes vectors.

        On a CPU every batch that it uses gives the bits of the default one. On a GPU the batch itself decides bits.
        """
        is_gpu = self.provider == CUDA
        return Numerics(
            provider=_NAMES.get(self.provider, self.provider),
            precision=self._session.precision or self._card.precision,
            device=gpu() if is_gpu else instructions(),
            runtime=self._session.runtime,
            batch=str(self._batch if is_gpu else batch_size(self._card.size, self.provider)),
        )

    @property
    def batch(self) -> int:
        """The number of tiles of one call; longer arrays are split."""
        return self._batch

    def use_batch(self, batch: int) -> None:
        """Split arrays into calls of so many tiles, as was measured before on this device."""
        self._batch = batch

    def first_run(self, count: int) -> int:
        """Return how many of `count` tiles the device computes at once, so that those after them may wait for more."""
        if isinstance(self._session, SizedSessions):
            return self._session.first_run(min(count, self._batch), self._card.size)
        return count

    def embed(self, tiles: Uint8) -> Float32:
        """Return the vectors [N, features] of tiles [N, C, size, size]. Raises Invalid for another shape or type.

        Each vector depends on its tile alone, because nothing in the graph mixes tiles.
        """
        rows = self.rows(tiles)
        return rows if self._card.novelty is None else np.ascontiguousarray(rows[:, : self._card.features])

    def rows(self, tiles: Uint8) -> Float32:
        """Return the vectors of tiles as `embed` does, with their novelty as a further column if the model has one."""
        check_tiles(tiles, self._card)
        # Larger batches are slower, because their activations do not fit into the caches (CPU_PIXELS).
        parts = [self._run(tiles[i : i + self._batch]) for i in range(0, len(tiles), self._batch)]
        width = self._card.features + (self._card.novelty is not None)
        return np.concatenate(parts) if parts else np.empty((0, width), np.float32)

    def warm_up(self) -> None:
        """Run one full batch, and on a GPU every smaller size of a run, so that the first requests find memory and
        kernels ready."""
        shape = (len(self._card.channels), self._card.size, self._card.size)
        count, smallest = self._batch, smallest_run(self._card.size) if self.provider == CUDA else self._batch
        while count >= smallest:
            self.embed(np.zeros((count, *shape), np.uint8))
            count //= 2

    def measure_batch(self) -> int | None:
        """Choose the smallest batch with which this device embeds about as fast as it can (MARGIN), and return it.

        After MAX_MEASURING_SECONDS the default batch is chosen, and None is returned.

        Every candidate must give the vectors of the default batch: bit for bit on a CPU, so that a choice by timing
        changes no result, and within MAX_DIFFERENCE on a GPU, whose vectors depend on their batch in any case.
        """
        default = batch_size(self._card.size, self.provider)
        candidates = [default, *_candidates(default, self.provider)]
        count = max(candidates)
        shape = (count, len(self._card.channels), self._card.size, self._card.size)
        tiles = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        self._batch, start = default, time.perf_counter()
        expected, first = _timed(self.embed, tiles)
        is_slow = first > SLOW_SECONDS
        seconds: dict[int, float] = {}
        for candidate in candidates:
            if time.perf_counter() - start > MAX_MEASURING_SECONDS:
                self._batch = default
                return None
            self._batch = candidate
            part = tiles[:candidate] if is_slow else tiles
            times = [_timed(self.embed, part) for _ in range(1 if is_slow else _REPEATS)]
            if self._agrees(times[0][0], expected[: len(part)]):
                seconds[candidate] = min(each for _, each in times) / len(part)
        limit = min(seconds.values()) * (1 + MARGIN)
        self._batch = min(batch for batch in seconds if seconds[batch] <= limit)
        return self._batch

    def _agrees(self, vectors: Float32, expected: Float32) -> bool:
        if self.provider != CUDA:
            return np.array_equal(vectors, expected)
        return bool(np.abs(vectors - expected).max() <= MAX_DIFFERENCE * np.abs(expected).max())

    def _run(self, tiles: Uint8) -> Float32:
        return self._session.run(np.ascontiguousarray(tiles))


def batch_size(size: int, provider: str) -> int:
    """Return how many tiles of size × size pixels one call of the session gets, on a GPU a power of two."""
    if provider == CUDA:
        return largest_power_of_two(GPU_PIXELS // size**2)
    return max(1, CPU_PIXELS // size**2)


def _candidates(default: int, provider: str) -> list[int]:
    """Return the batches that are tried beside the default one."""
    if provider == CUDA:
        return [default * 2, default * 4]
    return [batch for batch in (1, 2, 4, 8) if batch < default]


def _timed(embed: Callable[[Uint8], Float32], tiles: Uint8) -> tuple[Float32, float]:
    """Return the vectors of tiles, and the seconds that they took."""
    start = time.perf_counter()
    vectors = embed(tiles)
    return vectors, time.perf_counter() - start


def check_tiles(tiles: Uint8, card: ModelCard) -> None:
    """Raise Invalid unless `tiles` is uint8 [N, C, size, size] of `card`."""
    expected = (len(card.channels), card.size, card.size)
    if tiles.dtype != np.uint8 or tiles.ndim != 4 or tiles.shape[1:] != expected:
        shape = ", ".join(map(str, expected))
        raise Invalid(
            f"{card.name} takes tiles of type uint8 and shape [N, {shape}]; these are {tiles.dtype} {list(tiles.shape)}"
        )


def read_model_file(path: Path) -> bytes:
    """Return the content of a model file. Raises NotFound, and InvalidModel where it cannot be read."""
    return read_regular(path, "model file", MAX_MODEL_BYTES, InvalidModel)
