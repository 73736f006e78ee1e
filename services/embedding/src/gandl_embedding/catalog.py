"""The models of a service: every .onnx file of one folder. One of them is the default."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gandl_shared.clients.wire import ModelInfo, PrecisionCheck
from gandl_shared.errors import InvalidModel, NotFound

from gandl_embedding.engine import CPU, CUDA, Engine, Precision, read_check, read_model_file
from gandl_embedding.settings import Settings

_PROVIDERS: Mapping[str, tuple[str, ...]] = {"cpu": (CPU,), "cuda": (CUDA,)}


class Catalog:
    """Loaded models by the names in their cards."""

    def __init__(
        self, engines: Mapping[str, Engine], default: str, checks: Mapping[str, PrecisionCheck] | None = None
    ) -> None:
        self._engines = dict(engines)
        self._checks = dict(checks or {})
        self._default = default

    @classmethod
    def load(cls, settings: Settings, earlier: Catalog | None = None) -> Catalog:
        """Load the folder of `settings`. Engines of an `earlier` catalog are kept where their files are the same.

        Raises NotFound if the folder has no model or not the default one, InvalidModel for a broken file or two models
        of one name, Unavailable if the device is missing.
        """
        engines: dict[str, Engine] = {}
        checks: dict[str, PrecisionCheck] = {}
        precision = None if settings.precision is None else Precision(settings.precision)
        for path in model_files(settings.models_dir):
            data = read_model_file(path)
            engine = None if earlier is None else earlier.engine_of(hashlib.sha256(data).hexdigest())
            if engine is None:
                providers = _PROVIDERS[settings.device]
                engine = Engine.of_bytes(
                    data, path.name, threads=settings.threads, providers=providers, precision=precision
                )
            if engine.card.name in engines:
                raise InvalidModel(f"{path.name}: another model is already called {engine.card.name}; rename its card")
            engines[engine.card.name] = engine
            if precision and (check := read_check(path, engine.model_id, precision)):
                checks[engine.card.name] = check
        # Without a setting the first file is the default, so that a folder with one model needs no configuration.
        default = settings.default_model or next(iter(engines))
        if default not in engines:
            raise NotFound(f"the default model {default} is not among {', '.join(engines)}")
        return cls(engines, default, checks)

    @property
    def engines(self) -> Mapping[str, Engine]:
        """Every engine by name."""
        return self._engines

    def engine_of(self, model_id: str) -> Engine | None:
        """Return the engine of a model file by its SHA-256, or None."""
        return next((engine for engine in self._engines.values() if engine.model_id == model_id), None)

    def get(self, name: str | None) -> Engine:
        """Return the model of that name, or the default one for None. Raises NotFound naming the available models."""
        engine = self._engines.get(self._default if name is None else name)
        if engine is None:
            raise NotFound(f"there is no model {name!r}; available are {', '.join(self._engines)}")
        return engine

    def info(self, name: str | None) -> ModelInfo:
        """Return the answer of `GET /models/{name}`."""
        engine = self.get(name)
        card = engine.card
        return ModelInfo(
            name=card.name,
            id=engine.model_id,
            default=card.name == self._default,
            provider=engine.provider,
            numerics=engine.numerics,
            agreement=engine.agreement,
            precision_check=self._checks.get(card.name),
            card=card,
        )


def model_files(folder: Path) -> list[Path]:
    """Return the .onnx files of a folder, by name. Raises NotFound if there are none."""
    files = sorted(folder.glob("*.onnx")) if folder.is_dir() else []
    if not files:
        raise NotFound(f"there are no .onnx models in {folder}; set GANDL_EMBEDDING_MODELS_DIR to their folder")
    return files


def folder_stamp(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Return name, size and time of every model file of a folder; none where the folder is away."""
    stamps = set()
    for path in folder.glob("*.onnx"):
        with suppress(OSError):  # a file that goes away meanwhile
            state = path.stat()
            stamps.add((path.name, state.st_size, state.st_mtime_ns))
    return frozenset(stamps)
