"""Checkpoints: everything that a run needs to resume bit for bit.

Random numbers and the position in the data are functions of (seed, step), so the number of the step is their whole
state. A checkpoint holds tensors, plain values and the configuration as JSON, and no code of this package, so that
modules may be renamed without making older files unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from gandl_shared.errors import BadInput, NotFound, TrainingFailed
from gandl_shared.files.atomic import atomic_file

from gandl_training.config import TrainConfig

CHECKPOINT = "checkpoint.pt"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """`state` maps the names of parts (generator, discriminator, their averages, optimisers) to their state dicts."""

    config: TrainConfig
    step: int
    state: dict[str, Any]  # Any: torch's state dicts

    @property
    def kimg(self) -> float:
        """How many thousand real images this run has trained on."""
        return self.step * self.config.batch / 1000


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint atomically. Raises TrainingFailed where it cannot be written or a value is not finite; the old
    file then stays."""
    bad = [name for name, value in _tensors(checkpoint.state) if not torch.isfinite(value).all()]
    if bad:
        detail = f"{len(bad)} tensors, such as {bad[0]}, hold NaN or infinity at {checkpoint.kimg:.1f} kimg"
        raise TrainingFailed(f"{detail}; {last_good(path)}; lower --learning-rate or raise --r1-gamma")
    content = {
        "format": FORMAT,
        "config": checkpoint.config.to_json(),
        "step": checkpoint.step,
        "state": checkpoint.state,
    }
    try:
        with atomic_file(path) as file:
            torch.save(content, file)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise TrainingFailed(f"cannot write {path}: {_cause(error)}; {last_good(path)}") from error


def last_good(path: Path) -> str:
    """Return what a message says about the checkpoint that remains after a failure."""
    return f"the last good checkpoint is {path}" if path.exists() else "there is no checkpoint yet"


def _cause(error: Exception) -> str:
    """Return why a write failed: torch raises an error of its own, which has that of the system as its context."""
    system = error if isinstance(error, OSError) else error.__context__
    return (system.strerror or str(system)) if isinstance(system, OSError) else str(error)


def _tensors(state: object, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(state, torch.Tensor):
        yield name, state
    elif isinstance(state, Mapping):
        for key, value in state.items():
            yield from _tensors(value, f"{name}.{key}" if name else str(key))


def load(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a checkpoint. Raises NotFound or BadInput naming the file; only tensors and plain values are unpickled."""
    if not path.is_file():
        raise NotFound(f"checkpoint {path} does not exist; give the folder of a `gandl train` run")
    try:
        # weights_only: a pickle may call any function, and checkpoints are passed on between people.
        content = torch.load(path, map_location=device, weights_only=True)
        if content["format"] != FORMAT:
            raise BadInput(f"{path} has format {content['format']}; this version of gandl reads format {FORMAT}")
        config = TrainConfig.from_json(content["config"])
        return Checkpoint(config=config, step=int(content["step"]), state=content["state"])
    except BadInput:
        raise
    except Exception as error:  # a damaged file fails anywhere inside torch's reader: name it, keep the cause
        raise BadInput(f"{path} is not a gandl checkpoint or is damaged: {error}") from error
