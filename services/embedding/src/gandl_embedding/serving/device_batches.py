"""The batch with which a device embeds fastest, measured once and kept beside the model."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from gandl_shared.files.atomic import atomic_file
from gandl_shared.schemas.base import Frozen
from pydantic import Field, ValidationError

from gandl_embedding.engine import CUDA, Engine, gpu, processor
from gandl_embedding.inputs.uploads import safe_name

MAX_FILE_BYTES = 2**20

_log = logging.getLogger("gandl.embedding")


class DeviceBatches(Frozen):
    """The content of `NAME.batches.json`: the SHA-256 of a model file, and its tiles per call by device."""

    model_id: str
    batches: Mapping[str, Annotated[int, Field(ge=1, le=2**16)]] = Field(default_factory=dict)


def choose_batch(engine: Engine, folder: Path) -> int:
    """Warm an engine up with the batch that is kept in a folder, or measure and keep one if there is none.

    Where the folder cannot be written, every start measures. A machine that is too busy keeps nothing.
    """
    path, device = folder / f"{safe_name(engine.card.name)}.batches.json", device_of(engine)
    earlier = read_batches(path, engine.model_id)
    if device in earlier.batches:
        # A model of many views takes seconds for the default batch, which is not run at all here.
        engine.use_batch(earlier.batches[device])
        engine.warm_up()
        return engine.batch
    # The first run takes longer than others, so it must not be measured.
    engine.warm_up()
    batch = engine.measure_batch()
    if batch is None:
        _log.info("the batch of %s is the default, because this machine is too busy to measure", engine.card.name)
        return engine.batch
    try:
        with atomic_file(path) as file:
            content = earlier.model_copy(update={"batches": {**earlier.batches, device: batch}})
            file.write(content.model_dump_json(indent=2).encode() + b"\n")
    except OSError as error:
        _log.info("the batch of %s is not kept: %s", engine.card.name, error.strerror)
    return batch


def read_batches(path: Path, model_id: str) -> DeviceBatches:
    """Return what is kept for a model; nothing if the file is absent, of another model or not as we write it."""
    try:
        if path.stat().st_size <= MAX_FILE_BYTES:
            content = DeviceBatches.model_validate_json(path.read_bytes())
            if content.model_id == model_id:
                return content
    except (OSError, ValidationError):
        pass  # what cannot be read is measured again
    return DeviceBatches(model_id=model_id)


def device_of(engine: Engine) -> str:
    """Return the name of what a batch depends on: provider, processor, threads and version of ONNX Runtime."""
    is_gpu = engine.provider == CUDA
    threads = "" if is_gpu else f", {engine.threads or os.cpu_count()} threads"
    name = gpu() if is_gpu else processor()
    library = engine.numerics.runtime.replace("onnxruntime", "ONNX Runtime")
    return f"{engine.provider}, {name}{threads}, {library}"
