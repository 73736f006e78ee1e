"""The folder of a run: its packed data, its configuration and the commands that trained it.

Its files are `config.json`, `command.txt`, `commit.txt`, `data/` (packed fields), `checkpoint.pt`, `log.jsonl`,
`events/` (TensorBoard), `samples/*.png` and `snapshots/*.pt` (networks along the way, which can be exported).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gandl_shared.errors import BadInput
from gandl_shared.files.atomic import remove_unfinished

from gandl_training.config import NetworkConfig, TrainConfig, with_input
from gandl_training.data.field_store import INDEX, FieldStore
from gandl_training.data.packing import copy_store, pack
from gandl_training.data.source import Source
from gandl_training.run.checkpoint import CHECKPOINT

CONFIG, COMMAND, DATA = "config.json", "command.txt", "data"


def prepare(config: TrainConfig, source: Source, out: Path, stopped: Callable[[], bool] = lambda: False) -> None:
    """Pack the data of a new run into `out` and write its configuration. Fields that are packed already are copied.

    Raises BadInput if `out` has a run or cannot be written, and what `pack` raises.
    """
    if (out / CHECKPOINT).exists():
        raise BadInput(f"{out} already holds a run; give --resume to go on with it, or another folder as --out")
    remove_unfinished(out)
    packed = packed_folder(source.images)
    if packed is None:
        store = pack(source, out / DATA, size=config.network.resolution, stopped=stopped)
    else:
        check_packed(source, packed)
        same = packed.resolve() == (out / DATA).resolve()
        store = FieldStore.open(packed) if same else copy_store(packed, out / DATA)
    open_store(out, with_input(config, channels=store.channels).network)
    with _writing_to(out):
        (out / CONFIG).write_text(with_input(config, channels=store.channels).to_json() + "\n")


def packed_folder(images: Path) -> Path | None:
    """Return the folder of packed fields that `images` is, or that the run in `images` has; None for other folders."""
    return next((folder for folder in (images, images / DATA) if (folder / INDEX).is_file()), None)


def check_packed(source: Source, packed: Path) -> None:
    """Raise BadInput where `source` says how to read images, though the fields in `packed` have been read already."""
    if replace(source, images=packed, platemap=None) != Source(packed, None):
        raise BadInput(
            f"{packed} holds packed fields, so options that say how images are read have no effect: leave them out"
        )


def read_config(out: Path) -> TrainConfig:
    """Return the configuration of the run in `out`."""
    return TrainConfig.from_json((out / CONFIG).read_text())


def open_store(out: Path, network: NetworkConfig) -> FieldStore:
    """Open the packed fields of the run in `out`. Raises BadInput where there are none or they do not fit `network`."""
    store = FieldStore.open(out / DATA)
    channels, height, width = store.fields.shape[1:]
    if channels != network.channels or min(height, width) < network.resolution:
        needs = f"{network.channels} channels of {network.resolution}×{network.resolution}"
        detail = f"{out / DATA} holds fields of {channels} channels of {height}×{width}, the checkpoint's network needs"
        raise BadInput(f"{detail} {needs}: they belong to another run; put this run's own data there")
    return store


def record_command(out: Path, command: str) -> None:
    """Append a command to those that trained this run. Raises BadInput where it cannot be written."""
    with _writing_to(out), (out / COMMAND).open("a") as file:
        file.write(command + "\n")


def recorded_commands(out: Path) -> str:
    """Return the commands that trained the run, one per line, or `unknown` without a record."""
    path = out / COMMAND
    return path.read_text().strip() if path.is_file() else "unknown"


@contextmanager
def _writing_to(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(f"cannot write to {out}: {error.strerror}; make it writable or copy the run") from error
