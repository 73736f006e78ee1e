"""Checkpoints: everything a run needs to go on bit for bit, written so that a crash never leaves half a file.

Random numbers and the data position are functions of (seed, step), so the step is their whole state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from gandl_shared.errors import BadInput, NotFound, TrainingFailed

from gandl_training.config import TrainConfig

CHECKPOINT = "checkpoint.pt"
FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """`state` maps part names (generator, discriminator, …_ema, optimisers) to their state dicts."""

    config: TrainConfig
    step: int
    state: dict[str, Any]  # Any: torch's state dicts

    @property
    def kimg(self) -> float:
        """Thousands of real images shown."""
        return self.step * self.config.batch / 1000


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write beside `path`, flush to disk, then rename over it. Raises TrainingFailed where that cannot be or a value is
    not finite; the old file then stays."""
    bad = [name for name, value in _tensors(checkpoint.state) if not torch.isfinite(value).all()]
    if bad:
        what = f"{len(bad)} tensors, such as {bad[0]}, hold NaN or infinity at {checkpoint.kimg:.1f} kimg"
        raise TrainingFailed(f"{what}; {kept(path)}; lower --learning-rate or raise --r1-gamma")
    temporary = path.with_suffix(".tmp")
    content = {
        "format": FORMAT,
        "config": checkpoint.config.to_json(),
        "step": checkpoint.step,
        "state": checkpoint.state,
    }
    try:
        with temporary.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        temporary.unlink(missing_ok=True)
        raise TrainingFailed(f"cannot write {path}: {_cause(error)}; {kept(path)}") from error


def kept(path: Path) -> str:
    """What a message says of the checkpoint that a failure leaves."""
    return f"the last good checkpoint is {path}" if path.exists() else "there is no checkpoint yet"


def _cause(error: Exception) -> str:
    """torch answers a failed write with an error of its own, in whose context the system's is."""
    system = error if isinstance(error, OSError) else error.__context__
    return (system.strerror or str(system)) if isinstance(system, OSError) else str(error)


def _tensors(state: object, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(state, torch.Tensor):
        yield name, state
    elif isinstance(state, dict):
        for key, value in state.items():
            yield from _tensors(value, f"{name}.{key}" if name else str(key))


def load(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Raises NotFound or BadInput naming the file. Nothing is unpickled but tensors and plain values."""
    if not path.is_file():
        raise NotFound(f"checkpoint {path} is not there; give the folder of a `gandl train` run")
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        if content["format"] != FORMAT:
            raise BadInput(f"{path} has format {content['format']}; this version of gandl reads {FORMAT}")
        config = TrainConfig.from_json(content["config"])
        return Checkpoint(config, int(content["step"]), content["state"])
    except BadInput:
        raise
    except Exception as error:  # a damaged file fails anywhere inside torch's reader: name it, keep the cause
        raise BadInput(f"{path} is not a gandl checkpoint or is damaged: {error}") from error
