"""The run: data, steps, what is logged and saved when, and how it ends.

Files of a run: `config.json`, `data/` (packed fields), `checkpoint.pt`, `log.jsonl`, `samples/*.png`,
`snapshots/*.pt` (checkpoints kept along the way).
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from gandl_shared.errors import BadInput, TrainingFailed
from numpy.typing import NDArray
from torch import Tensor

from gandl_training import checkpoint as ckpt
from gandl_training.config import TrainConfig, with_input
from gandl_training.dataset import Crops, FieldStore, Source, pack
from gandl_training.networks import Generator
from gandl_training.sheet import save_sheet
from gandl_training.step import Trainer

LOG, CONFIG, DATA = "log.jsonl", "config.json", "data"
REPORT_STEPS = 16
SHEET_TILES = 64
SNAPSHOT_PARTS = ("discriminator", "discriminator_ema", "generator_ema")


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


def prepare_run(config: TrainConfig, source: Source, out: Path) -> tuple[TrainConfig, FieldStore]:
    """Pack the data of a new run into `out` and write down its configuration. Raises BadInput if `out` has a run."""
    if (out / ckpt.CHECKPOINT).exists():
        raise BadInput(f"{out} already holds a run; give --resume to go on with it, or another folder")
    store = pack(source, out / DATA, size=config.network.resolution)
    config = with_input(config, channels=store.channels)
    (out / CONFIG).write_text(config.to_json() + "\n")
    return config, store


def run(
    config: TrainConfig,
    out: Path,
    on_progress: Callable[[Progress], None] = lambda _: None,
    *,
    device: torch.device | None = None,
) -> Outcome:
    """Train in `out`, which holds packed data, until `config.kimg` or `config.minutes`; goes on from a checkpoint
    there. SIGTERM and Ctrl-C save and return. Raises TrainingFailed on NaN or a full disk, BadInput where the
    checkpoint is of another network or batch."""
    store = FieldStore.open(out / DATA)
    trainer = Trainer(config, device or default_device())
    if (out / ckpt.CHECKPOINT).exists():
        restore(trainer, ckpt.load(out / ckpt.CHECKPOINT, trainer.device))
    return _Run(trainer, store, out, on_progress).go()


def default_device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


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

    def __init__(self, trainer: Trainer, store: FieldStore, out: Path, on_progress: Callable[[Progress], None]) -> None:
        config = trainer.config
        self.trainer, self.out, self.on_progress = trainer, out, on_progress
        self.crops = Crops(store, config.network.resolution, config.batch, config.seed, trainer.rank, trainer.world)
        self.started = time.monotonic()
        self.first_step = trainer.step
        self.sums: dict[str, list[Tensor]] = {}
        self.waited = 0.0
        self.last = (self.started, trainer.step)

    @property
    def kimg(self) -> float:
        return self.trainer.step * self.trainer.config.batch / 1000

    def go(self) -> Outcome:
        (self.out / "samples").mkdir(exist_ok=True)
        (self.out / "snapshots").mkdir(exist_ok=True)
        with _stop_requested() as stop:
            reason = self._steps(stop)
        self.report()
        self.save()
        self.sheet()
        seconds = time.monotonic() - self.started
        speed = (self.trainer.step - self.first_step) * self.trainer.config.batch / max(seconds, 1e-9)
        return Outcome(self.kimg, reason, speed, self.out / ckpt.CHECKPOINT)

    def _steps(self, stop: threading.Event) -> str:
        batches = self.crops.stream(self.trainer.step)
        while (reason := self._ended(stop)) is None:
            before = time.monotonic()
            batch = torch.from_numpy(next(batches))
            self.waited += time.monotonic() - before
            for name, value in self.trainer.advance(batch).items():
                self.sums.setdefault(name, []).append(value)
            if self.trainer.step % REPORT_STEPS == 0:
                self.report()
            self._milestones()
        batches.close()
        return reason

    def _ended(self, stop: threading.Event) -> str | None:
        config = self.trainer.config
        if stop.is_set():
            return "interrupted"
        if config.kimg is not None and self.kimg >= config.kimg:
            return "kimg"
        if config.minutes is not None and time.monotonic() - self.started >= 60 * config.minutes:
            return "minutes"
        return None

    def _milestones(self) -> None:
        config = self.trainer.config
        if self._passed(config.sample_kimg):
            self.sheet()
        if self._passed(config.checkpoint_kimg):
            self.save()
        if self._passed(config.snapshot_kimg):
            self.save(self.out / "snapshots" / f"kimg-{self.kimg:07.1f}.pt", SNAPSHOT_PARTS)

    def _passed(self, every: float) -> bool:
        return math.floor(self.kimg / every) > math.floor((self.kimg - self.trainer.config.batch / 1000) / every)

    def report(self) -> None:
        """Mean losses since the last report, to the log and the caller. Raises TrainingFailed if one is not finite."""
        if not self.sums:
            return
        values = {k: float(torch.stack(v).mean()) for k, v in self.sums.items()}
        self.sums = {}
        bad = [k for k, v in values.items() if not math.isfinite(v)]
        if bad:
            where = self.out / ckpt.CHECKPOINT
            kept = f"the last good checkpoint is {where}" if where.exists() else "there is no checkpoint yet"
            detail = f"{', '.join(bad)} is not finite at {self.kimg:.1f} kimg; {kept}"
            raise TrainingFailed(f"{detail}; lower --learning-rate or raise --r1-gamma")
        self._tell(values)

    def _tell(self, values: dict[str, float]) -> None:
        now, step = time.monotonic(), self.trainer.step
        seconds = max(now - self.last[0], 1e-9)
        speed = (step - self.last[1]) * self.trainer.config.batch / seconds
        progress = Progress(
            self.kimg, speed, self.waited / seconds, now - self.started, self._remaining(now, speed), values
        )
        self.last, self.waited = (now, step), 0.0
        entry = {"kimg": self.kimg, "images_per_second": speed, "data_wait": progress.data_wait, **values}
        with (self.out / LOG).open("a") as file:
            file.write(json.dumps(entry) + "\n")
        self.on_progress(progress)

    def _remaining(self, now: float, speed: float) -> float | None:
        config = self.trainer.config
        left = []
        if config.minutes is not None:
            left.append(60 * config.minutes - (now - self.started))
        if config.kimg is not None and speed > 0:
            left.append((config.kimg - self.kimg) * 1000 / speed)
        return max(min(left), 0.0) if left else None

    def save(self, path: Path | None = None, parts: Sequence[str] | None = None) -> None:
        """Write the checkpoint, or only `parts` of the state (a snapshot, which can be exported but not resumed)."""
        t = self.trainer
        state = {k: v for k, v in t.state().items() if parts is None or k in parts}
        ckpt.save(ckpt.Checkpoint(t.config, t.step, {}, state), path or self.out / ckpt.CHECKPOINT)

    def sheet(self) -> None:
        """64 real tiles beside 64 of the averaged generator, always the same latents."""
        real = np.concatenate([self.crops.at(k) for k in range(-(-SHEET_TILES // self.crops.batch))])[:SHEET_TILES]
        generated = generate(self.trainer.generator_ema, SHEET_TILES, seed=0)
        save_sheet(real, generated, self.out / "samples" / f"kimg-{self.kimg:07.1f}.png")


@torch.no_grad()
def generate(generator: Generator, images: int, *, seed: int) -> NDArray[np.uint8]:
    """Tiles [N, C, R, R] uint8 of a generator, from latents and noise of `seed`."""
    device = next(generator.parameters()).device
    rng = torch.Generator(device).manual_seed(seed)
    z = torch.randn(images, generator.config.style, generator=rng, device=device)
    noise = [torch.randn(images, 1, e, e, generator=rng, device=device) for e in generator.noise_edges]
    tiles = generator(z, noise)
    mapped = tiles.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.asarray(mapped.cpu().numpy())


@contextmanager
def _stop_requested() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, so that a run ends between two steps; only in the main thread."""
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
