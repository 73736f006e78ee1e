"""A training run from its start to its end, also when it is resumed or shared by several processes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from gandl_shared.errors import BadInput, TrainingFailed
from gandl_shared.files.atomic import remove_unfinished

from gandl_training.config import TrainConfig
from gandl_training.data.field_store import FieldStore
from gandl_training.data.packing import check_source
from gandl_training.data.source import Source
from gandl_training.process_group import ProcessGroup, join_process_group, process_device
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.commit import record_commit
from gandl_training.run.loop import Callbacks, Outcome, TrainingLoop
from gandl_training.run.run_folder import open_store, packed_folder, prepare, read_config, record_command
from gandl_training.steps.step import Trainer

NO_CALLBACKS = Callbacks()
_NO_BFLOAT16 = ("NO AVX", "AVX2")


def start(
    config: TrainConfig, source: Source, out: Path, callbacks: Callbacks = NO_CALLBACKS, *, command: str = "unknown"
) -> Outcome:
    """Start a run in the new folder `out`: pack the data, and train until `config.kimg` or `config.minutes`.

    SIGTERM and Ctrl-C save and return. Under `torchrun` one process packs and all train. `command` goes on the model
    card. Raises BadInput for data or a folder that cannot be used, and TrainingFailed on a signal while packing, on a
    loss that is not finite and on a full disk.
    """
    with join_process_group() as processes, _stop_requests() as stop:
        processes.check_batch(config)

        def prepare_folder() -> None:
            prepare(config, source, out, stop.is_set)
            record_command(out, command)

        processes.run_on_main(prepare_folder, process_device())
        return _train(read_config(out), out, callbacks, processes, stop)


def pack_run(config: TrainConfig, source: Source, out: Path, *, command: str = "unknown") -> FieldStore:
    """Pack the data of a run into the new folder `out` and train nothing; `resume` begins the training.

    The folder can go to another machine without the images. Raises BadInput and TrainingFailed as `start` does.
    """
    with _stop_requests() as stop:
        prepare(config, source, out, stop.is_set)
        record_command(out, command)
        record_commit(out)
    return open_store(out, read_config(out).network)


def config_to_resume(out: Path) -> TrainConfig:
    """Return the configuration of the run in `out`: that of its checkpoint, or of a run that was only packed.

    Raises NotFound where there is neither, and BadInput where a file is damaged.
    """
    if not (out / ckpt.CHECKPOINT).exists() and packed_folder(out) is not None:
        return read_config(out)
    return ckpt.load(out / ckpt.CHECKPOINT).config


def resume(
    config: TrainConfig,
    source: Source | None,
    out: Path,
    callbacks: Callbacks = NO_CALLBACKS,
    *,
    command: str = "unknown",
) -> Outcome:
    """Resume the run in `out` where its checkpoint was written, otherwise as `start`.

    The images are not needed; `source` is compared with what was packed if it is there. Raises BadInput, and changes
    nothing, where it is not what the run was packed from or `out` cannot be written.
    """
    with join_process_group() as processes, _stop_requests() as stop:

        def check_folder() -> None:
            store = open_store(out, config.network)
            if source is not None:
                check_source(store.index, source)
            record_command(out, command)
            remove_unfinished(out)

        processes.run_on_main(check_folder, process_device())
        return _train(config, out, callbacks, processes, stop)


def use_threads(threads: int) -> None:
    """Set how many CPU threads this process computes with."""
    torch.set_num_threads(threads)


def restore(trainer: Trainer, checkpoint: ckpt.Checkpoint) -> None:
    """Put a checkpoint into `trainer`. Raises BadInput where it belongs to another configuration."""
    # Length, intervals and presets may change in a run that is resumed; these would change what it learns.
    for name in ("network", "batch", "seed", "loss", "view", "learning_rate", "beta1"):
        ours, theirs = getattr(trainer.config, name), getattr(checkpoint.config, name)
        if ours != theirs:
            raise BadInput(f"the checkpoint was trained with another {name}: {theirs} instead of {ours}")
    trainer.load_state(checkpoint.state)
    trainer.step = checkpoint.step


def _train(
    config: TrainConfig, out: Path, callbacks: Callbacks, processes: ProcessGroup, stop: threading.Event
) -> Outcome:
    processes.check_batch(config)
    store = open_store(out, config.network)
    device = process_device()
    computed = as_computed(config, device)
    if computed != config and processes.is_main:
        callbacks.on_message("this processor has no bfloat16 instructions, so that training computes in float32")
    config = computed
    trainer = Trainer(config, device, processes)
    if (out / ckpt.CHECKPOINT).exists():
        restore(trainer, ckpt.load(out / ckpt.CHECKPOINT, trainer.device))
    try:
        if processes.is_main:
            record_commit(out)
        return TrainingLoop(trainer, store, out, callbacks).run(stop)
    except OSError as error:
        last_good = ckpt.last_good(out / ckpt.CHECKPOINT)
        raise TrainingFailed(f"cannot write to {out}: {error.strerror}; {last_good}") from error


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device computes in bfloat16 by itself; x86 processors up to AVX2 emulate it, which takes twelve
    times as long as float32."""
    return device.type != "cpu" or torch.backends.cpu.get_cpu_capability() not in _NO_BFLOAT16


def as_computed(config: TrainConfig, device: torch.device) -> TrainConfig:
    """Return `config` as it is computed on a device: in float32 where bfloat16 would be emulated."""
    return replace(config, bf16=config.bf16 and has_bfloat16(device))


@contextmanager
def _stop_requests() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and Ctrl-C set; only in the main thread, which alone gets signals.

    A run ends between two fields or two steps, so what it saves is complete, whatever signals come meanwhile.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
