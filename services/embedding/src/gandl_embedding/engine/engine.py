"""One session over one model file: tiles in, vectors out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from gandl_shared.errors import Invalid, InvalidModel
from gandl_shared.files.regular import read_regular
from gandl_shared.models import ModelCard, card_from_metadata
from gandl_shared.models.numerics import Numerics
from numpy.typing import NDArray

from gandl_embedding.engine.devices import gpu, instructions
from gandl_embedding.engine.onnx_session import CPU, CUDA, check_graph, open_session
from gandl_embedding.external_data import check_self_contained

MAX_MODEL_BYTES = 2**31 - 1
"""The largest protobuf, and an ONNX file is one."""
_NAMES = {CPU: "cpu", CUDA: "cuda"}

CPU_PIXELS = 2**16
"""Pixels of one internal batch on a CPU: 16 tiles of 64 × 64. This was measured (benchmarks/serving): in smaller
batches the cost of a call dominates, and larger ones do not leave the first blocks' activations in the caches."""

GPU_PIXELS = 2**20
"""Pixels of one internal batch on a GPU: 256 tiles of 64 × 64."""

MIN_GAIN = 0.03
"""A batch is chosen instead of the default one if it takes this share less time."""
MAX_DIFFERENCE = 1e-6
"""The largest difference of vectors between batches on a GPU, relative to the largest number."""
_REPEATS = 2

Uint8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]


class Engine:
    """A loaded featurizer, which implements `gandl_shared.models.Embedder`. Several threads may call it."""

    def __init__(
        self, session: ort.InferenceSession, card: ModelCard, model_id: str, threads: int | None = None
    ) -> None:
        self.threads = threads
        self._session = session
        self._card = card
        self._model_id = model_id
        self._input: str = session.get_inputs()[0].name
        self._provider: str = session.get_providers()[0]
        self._batch = batch_size(card.size, self._provider)

    @classmethod
    def load(cls, path: Path, *, threads: int | None = None, providers: Sequence[str] | None = None) -> Engine:
        """Load a model on `threads` CPU cores (None: all) with the first available one of `providers` (None: the CPU).

        Raises NotFound if there is no file, InvalidModel if it is not an ONNX file, has weights in another file, has no
        gandl card or a graph that differs from its card, Unavailable if none of `providers` works here.
        """
        # The file is read once: its hash, its check and its session belong to the same bytes.
        return cls.of_bytes(read_model_file(path), path.name, threads=threads, providers=providers)

    @classmethod
    def of_bytes(
        cls, data: bytes, name: str, *, threads: int | None = None, providers: Sequence[str] | None = None
    ) -> Engine:
        """Load a model from the bytes of its file; errors call it `name`. Raises as `load` does."""
        check_self_contained(data, name)
        session = open_session(data, name, threads, providers or (CPU,))
        card = card_from_metadata(session.get_modelmeta().custom_metadata_map, file=name)
        check_graph(session, card, name)
        return cls(session, card, hashlib.sha256(data).hexdigest(), threads)

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
        """The execution provider in use, such as CPUExecutionProvider."""
        return self._provider

    @property
    def numerics(self) -> Numerics:
        """How it computes vectors.

        On a CPU every batch that it uses gives the bits of the default one. On a GPU the batch itself decides bits.
        """
        is_cpu = self._provider == CPU
        return Numerics(
            provider=_NAMES.get(self._provider, self._provider),
            precision=self._card.precision,
            device=instructions() if is_cpu else gpu(),
            runtime=f"onnxruntime {ort.__version__}",
            batch=str(batch_size(self._card.size, CPU) if is_cpu else self._batch),
        )

    @property
    def batch(self) -> int:
        """The number of tiles of one call; longer arrays are split."""
        return self._batch

    def use_batch(self, batch: int) -> None:
        """Split arrays into calls of so many tiles, as was measured before on this device."""
        self._batch = batch

    def embed(self, tiles: Uint8) -> Float32:
        """Return the vectors [N, features] of tiles [N, C, size, size]. Raises Invalid for another shape or type.

        Each vector depends on its tile alone, because nothing in the graph mixes tiles.
        """
        check_tiles(tiles, self._card)
        # Larger batches are slower, because their activations do not fit into the caches (CPU_PIXELS).
        parts = [self._run(tiles[i : i + self._batch]) for i in range(0, len(tiles), self._batch)]
        return np.concatenate(parts) if parts else np.empty((0, self._card.features), np.float32)

    def warm_up(self) -> None:
        """Run one full batch, so that the first request finds memory and kernels ready."""
        self.embed(np.zeros((self._batch, len(self._card.channels), self._card.size, self._card.size), np.uint8))

    def measure_batch(self) -> int:
        """Choose the batch with which this device embeds fastest, and return it.

        Every candidate must give the vectors of the default batch: bit for bit on a CPU, so that a choice by timing
        changes no result, and within MAX_DIFFERENCE on a GPU, whose vectors depend on their batch in any case.
        """
        default = batch_size(self._card.size, self._provider)
        candidates = [default, *_candidates(default, self._provider)]
        count = max(candidates)
        shape = (count, len(self._card.channels), self._card.size, self._card.size)
        tiles = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        self._batch = default
        expected = self.embed(tiles)
        seconds: dict[int, float] = {}
        for candidate in candidates:
            self._batch = candidate
            if self._agrees(self.embed(tiles), expected):
                seconds[candidate] = min(_seconds_of(lambda: self.embed(tiles)) for _ in range(_REPEATS))
        fastest = min(seconds, key=lambda batch: seconds[batch])
        self._batch = fastest if seconds[fastest] < seconds[default] * (1 - MIN_GAIN) else default
        return self._batch

    def _agrees(self, vectors: Float32, expected: Float32) -> bool:
        if self._provider == CPU:
            return np.array_equal(vectors, expected)
        return bool(np.abs(vectors - expected).max() <= MAX_DIFFERENCE * np.abs(expected).max())

    def _run(self, tiles: Uint8) -> Float32:
        vectors: Float32 = self._session.run(None, {self._input: np.ascontiguousarray(tiles)})[0]
        return vectors


def batch_size(size: int, provider: str) -> int:
    """Return how many tiles of size × size pixels one call of the session gets."""
    return max(1, (CPU_PIXELS if provider == CPU else GPU_PIXELS) // size**2)


def _candidates(default: int, provider: str) -> list[int]:
    """Return the batches that are tried beside the default one."""
    if provider == CPU:
        return [batch for batch in (1, 2, 4, 8) if batch < default]
    return [default * 2, default * 4]


def _seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


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
