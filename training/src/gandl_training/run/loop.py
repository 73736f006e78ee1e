"""The run: data, steps, what is logged and saved when, and how it ends.

Files of a run: `config.json`, `command.txt`, `commit.txt`, `data/` (packed fields), `checkpoint.pt`, `log.jsonl`,
`events/` (TensorBoard), `samples/*.png`, `snapshots/*.pt` (networks kept along the way).
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from gandl_shared.errors import BadInput, TrainingFailed
from torch import Tensor

from gandl_training.config import NetworkConfig, TrainConfig, with_input
from gandl_training.data.dataset import Crops, FieldStore, Source, check_same, pack
from gandl_training.evaluation.watch import split_wells
from gandl_training.process_group import Processes, device_of_process, joined
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.commit import note_commit
from gandl_training.run.writer import Writer
from gandl_training.steps.step import Trainer

CONFIG, COMMAND, DATA = "config.json", "command.txt", "data"
REPORT_STEPS = 16
REASONS = (None, "minutes", "kimg", "interrupted")


@dataclass(frozen=True)
class Progress:
    """What `on_progress` is told every 16 steps. Losses are means since the last report; times in seconds."""

    kimg: float
    images_per_second: float
    data_wait: float
    elapsed: float
    remaining: float | None
    losses: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `reason` is kimg, minutes or interrupted."""

    kimg: float
    reason: str
    images_per_second: float
    checkpoint: Path


@dataclass(frozen=True)
class Listeners:
    """Who is told of a run: how far it is, and what it does without."""

    on_progress: Callable[[Progress], None] = lambda _: None
    on_note: Callable[[str], None] = lambda _: None


NOBODY = Listeners()


def prepare_run(
    config: TrainConfig, source: Source, out: Path, stopped: Callable[[], bool] = lambda: False
) -> tuple[TrainConfig, FieldStore]:
    """Pack the data of a new run into `out` and write down its configuration. Raises BadInput if `out` has a run or
    cannot be written, and what `pack` raises."""
    if (out / ckpt.CHECKPOINT).exists():
        raise BadInput(f"{out} already holds a run; give --resume to go on with it, or another folder")
    store = pack(source, out / DATA, size=config.network.resolution, stopped=stopped)
    config = with_input(config, channels=store.channels)
    with _writing(out):
        (out / CONFIG).write_text(config.to_json() + "\n")
    return config, store


def start(
    config: TrainConfig, source: Source, out: Path, told: Listeners = NOBODY, *, command: str = "unknown"
) -> Outcome:
    """`prepare_run` and `run`, under `torchrun` too: one process packs, all train. `command` goes on the card.
    Raises TrainingFailed on a signal while packing."""
    with joined() as processes, _stop_requested() as stop:
        processes.check_batch(config)

        def prepare() -> None:
            prepare_run(config, source, out, stop.is_set)
            note_command(out, command)

        processes.first_does(prepare, device_of_process())
        ready = TrainConfig.from_json((out / CONFIG).read_text())
        return _train(ready, out, told, processes, stop)


def resume(
    config: TrainConfig, source: Source, out: Path, told: Listeners = NOBODY, *, command: str = "unknown"
) -> Outcome:
    """`run` for the run in `out`, under `torchrun` too. Raises BadInput, and changes nothing, where `source` is not
    what the run was packed from or `out` cannot be written."""
    with joined() as processes, _stop_requested() as stop:

        def prepare() -> None:
            check_same(stored(out, config.network).index, source.images, source.platemap)
            note_command(out, command)

        processes.first_does(prepare, device_of_process())
        return _train(config, out, told, processes, stop)


def use_threads(threads: int) -> None:
    """How many CPU threads this process computes with."""
    torch.set_num_threads(threads)


def note_command(out: Path, command: str) -> None:
    """Add a line to the commands that made this run. Raises BadInput where it cannot be written."""
    with _writing(out), (out / COMMAND).open("a") as file:
        file.write(command + "\n")


def run(
    config: TrainConfig,
    out: Path,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Outcome:
    """Train in `out`, which holds packed data, until `config.kimg` or `config.minutes`; goes on from a checkpoint
    there. SIGTERM and Ctrl-C save and return. Raises TrainingFailed on NaN or a full disk, BadInput where the
    checkpoint is of another network or batch."""
    with joined() as processes, _stop_requested() as stop:
        return _train(config, out, Listeners(on_progress), processes, stop)


def stored(out: Path, network: NetworkConfig) -> FieldStore:
    """The packed fields of the run in `out`. Raises BadInput where there are none or they do not fit `network`."""
    store = FieldStore.open(out / DATA)
    channels, height, width = store.fields.shape[1:]
    if channels != network.channels or min(height, width) < network.resolution:
        takes = f"{network.channels} channels of {network.resolution}×{network.resolution}"
        detail = f"{out / DATA} holds fields of {channels} channels of {height}×{width}, the checkpoint's network takes"
        raise BadInput(f"{detail} {takes}: they belong to another run; put this run's own data there")
    return store


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(f"cannot write to {out}: {error.strerror}; make it writable or copy the run") from error


def _train(config: TrainConfig, out: Path, told: Listeners, processes: Processes, stop: threading.Event) -> Outcome:
    processes.check_batch(config)
    store = stored(out, config.network)
    trainer = Trainer(config, device_of_process(), processes)
    if (out / ckpt.CHECKPOINT).exists():
        restore(trainer, ckpt.load(out / ckpt.CHECKPOINT, trainer.device))
    try:
        if processes.first:
            note_commit(out)
        return _Run(trainer, store, out, told).go(stop)
    except OSError as error:
        raise TrainingFailed(f"cannot write to {out}: {error.strerror}; {ckpt.kept(out / ckpt.CHECKPOINT)}") from error


def restore(trainer: Trainer, saved: ckpt.Checkpoint) -> None:
    """Put a checkpoint into `trainer`. Raises BadInput where it belongs to another configuration."""
    for what in ("network", "batch", "seed", "loss", "learning_rate"):
        ours, theirs = getattr(trainer.config, what), getattr(saved.config, what)
        if ours != theirs:
            raise BadInput(f"the checkpoint was trained with another {what}: {theirs} instead of {ours}")
    trainer.load_state(saved.state)
    trainer.step = saved.step


class _Run:
    """One call of `run`: its clock, its accumulated losses and its milestones."""

    def __init__(self, trainer: Trainer, store: FieldStore, out: Path, told: Listeners) -> None:
        config, processes = trainer.config, trainer.processes
        self.trainer, self.out, self.on_progress = trainer, out, told.on_progress
        fields, held_out = split_wells(store, config.holdout, config.seed)
        size, share = config.network.resolution, (processes.rank, processes.world)
        self.crops = Crops(store, size, config.batch, config.seed, *share, fields=fields)
        self.writer = Writer(trainer, self.crops, held_out, out) if processes.first else None
        for line in self.writer.watch.unwatched if self.writer else ():
            told.on_note(f"no control probe for cell line {line}: it takes two wells of each control")
        self.started = time.monotonic()
        self.first_step = trainer.step
        self.sums: dict[str, list[Tensor]] = {}
        self.waited = 0.0
        self.last = (self.started, trainer.step)

    def go(self, stop: threading.Event) -> Outcome:
        reason = self._steps(stop)
        self.report()
        if self.writer:
            self.writer.finish()
        self.trainer.processes.wait()
        seconds = time.monotonic() - self.started
        speed = (self.trainer.step - self.first_step) * self.trainer.config.batch / max(seconds, 1e-9)
        return Outcome(self.trainer.kimg, reason, speed, self.out / ckpt.CHECKPOINT)

    def _steps(self, stop: threading.Event) -> str:
        with closing(self.crops.stream(self.trainer.step)) as batches:
            while (reason := self._ended(stop)) is None:
                before = time.monotonic()
                batch = torch.from_numpy(next(batches))
                self.waited += time.monotonic() - before
                for name, value in self.trainer.advance(batch).items():
                    self.sums.setdefault(name, []).append(value)
                if self.trainer.step % REPORT_STEPS == 0:
                    self.report()
                if self.writer:
                    self.writer.milestones(self.report)
        return reason

    def _ended(self, stop: threading.Event) -> str | None:
        config = self.trainer.config
        over = (
            config.minutes is not None and time.monotonic() - self.started >= 60 * config.minutes,
            config.kimg is not None and self.trainer.kimg >= config.kimg,
            stop.is_set(),
        )
        code = max((i for i, ended in enumerate(over, start=1) if ended), default=0)
        return REASONS[self.trainer.processes.agreed(code, self.trainer.device)]

    def report(self) -> None:
        """Mean losses since the last report, to the log and the caller. Raises TrainingFailed if one is not finite."""
        if not self.sums:
            return
        values = {k: float(torch.stack(v).mean()) for k, v in self.sums.items()}
        self.sums = {}
        bad = [k for k, v in values.items() if not math.isfinite(v)]
        if bad:
            detail = f"{', '.join(bad)} is not finite at {self.trainer.kimg:.1f} kimg"
            kept = ckpt.kept(self.out / ckpt.CHECKPOINT)
            raise TrainingFailed(f"{detail}; {kept}; lower --learning-rate or raise --r1-gamma")
        self._tell(values)

    def _tell(self, values: dict[str, float]) -> None:
        now, step, kimg = time.monotonic(), self.trainer.step, self.trainer.kimg
        seconds = max(now - self.last[0], 1e-9)
        speed = (step - self.last[1]) * self.trainer.config.batch / seconds
        wait = self.waited / seconds
        self.last, self.waited = (now, step), 0.0
        if self.writer:
            self.writer.journal.write(kimg, {"images_per_second": speed, "data_wait": wait, **values})
            elapsed = now - self.started
            left = remaining(self.trainer.config, kimg, elapsed, speed)
            self.on_progress(Progress(kimg, speed, wait, elapsed, left, values))


def remaining(config: TrainConfig, kimg: float, elapsed: float, images_per_second: float) -> float | None:
    """Seconds until a run ends that has shown `kimg` after `elapsed` seconds: by `minutes` or `kimg`, what is sooner.

    Never negative; None where nothing ends it."""
    left = []
    if config.minutes is not None:
        left.append(60 * config.minutes - elapsed)
    if config.kimg is not None and images_per_second > 0:
        left.append((config.kimg - kimg) * 1000 / images_per_second)
    return max(min(left), 0.0) if left else None


@contextmanager
def _stop_requested() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, so that a run ends between two fields or steps and what it saves is saved
    whole, whatever comes meanwhile; only in the main thread."""
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
