"""The training loop: step after step, with reports, until the run ends."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import torch
from gandl_shared.errors import TrainingFailed
from torch import Tensor

from gandl_training.config import TrainConfig
from gandl_training.data.crops import Crops
from gandl_training.data.device_crops import DeviceCrops
from gandl_training.data.field_store import FieldStore
from gandl_training.evaluation.evaluator import split_wells
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.estimate import SpeedEstimate
from gandl_training.run.health import GameJudge, data_warnings
from gandl_training.run.writer import RunWriter
from gandl_training.steps.step import Trainer

REPORT_STEPS = 16


class EndReason(StrEnum):
    """Why a run ended, in the order of precedence: the later one wins where several hold."""

    MINUTES = "minutes"
    KIMG = "kimg"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The state of a run, reported every 16 steps. Losses are means since the last report, and times are in seconds.

    `data_wait` is the share of the time that was spent waiting for data; `remaining` is None if nothing ends the run.
    """

    kimg: float
    images_per_second: float
    data_wait: float
    elapsed: float
    remaining: float | None
    losses: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended."""

    kimg: float
    reason: EndReason
    images_per_second: float
    checkpoint: Path


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """What a run calls with its progress, and with messages for its user."""

    on_progress: Callable[[Progress], None] = lambda _: None
    on_message: Callable[[str], None] = lambda _: None


class TrainingLoop:
    """The loop of one process: its clock, the losses since the last report, and the files that are due."""

    def __init__(self, trainer: Trainer, store: FieldStore, out: Path, callbacks: Callbacks) -> None:
        config, processes = trainer.config, trainer.processes
        self.trainer, self.out, self.callbacks = trainer, out, callbacks
        fields, held_out = split_wells(store, config.holdout, config.seed)
        self.crops = Crops(
            store=store,
            size=config.network.resolution,
            batch=config.batch,
            seed=config.seed,
            rank=processes.rank,
            world_size=processes.world_size,
            fields=fields,
        )
        self.writer = RunWriter(trainer, self.crops, held_out, out) if processes.is_main else None
        for cell_line in self.writer.evaluator.cell_lines_without_probe if self.writer else ():
            callbacks.on_message(
                f"there is no control probe for cell line {cell_line}: "
                "it needs two wells of each control with usable images"
            )
        # A run that is resumed has them in its log.
        for sentence in self.writer.write_baselines() if self.writer and trainer.step == 0 else ():
            callbacks.on_message(sentence)
        for warning in data_warnings(store, config, self.writer.evaluator.real) if self.writer else ():
            callbacks.on_message(warning)
        self.estimate = SpeedEstimate(config)
        self.game = GameJudge(config, trainer.kimg)
        self.start_time = time.monotonic()
        self.first_step = trainer.step
        self.losses: dict[str, list[Tensor]] = {}
        self.waited = 0.0
        self.last_report = (self.start_time, trainer.step)

    def run(self, stop: threading.Event) -> Outcome:
        """Train until the run ends or `stop` is set, and write the last files. Raises TrainingFailed or OSError."""
        reason = self._train(stop)
        self.report()
        if self.writer:
            self.writer.finish()
        self.trainer.processes.wait()
        seconds = time.monotonic() - self.start_time
        speed = (self.trainer.step - self.first_step) * self.trainer.config.batch / max(seconds, 1e-9)
        return Outcome(
            kimg=self.trainer.kimg, reason=reason, images_per_second=speed, checkpoint=self.out / ckpt.CHECKPOINT
        )

    def _train(self, stop: threading.Event) -> EndReason:
        with closing(self._batches(self.trainer.step)) as batches:
            while (reason := self._end_reason(stop)) is None:
                before = time.monotonic()
                batch = next(batches)
                self.waited += time.monotonic() - before
                # Losses stay on the device as tensors; reading them would wait for it in every step.
                for name, value in self.trainer.advance(batch).items():
                    self.losses.setdefault(name, []).append(value)
                self._estimate_length()
                if self.trainer.step % REPORT_STEPS == 0:
                    self.report()
                if self.writer:
                    self.writer.write_due(self.report)
        return reason

    def _batches(self, first: int) -> Generator[Tensor]:
        """Yield the batches from step `first` on, cut on the device where the fields fit there."""
        device = self.trainer.device
        if DeviceCrops.fit(self.crops, device):
            yield from DeviceCrops.of(self.crops, device).stream(first)
        with closing(self.crops.stream(first)) as batches:
            yield from map(torch.from_numpy, batches)

    def _estimate_length(self) -> None:
        steps = self.trainer.step - self.first_step
        if self.writer is None or not self.estimate.is_due(time.monotonic(), steps):
            return
        # A device works behind the calls that feed it; reading a loss waits until it has done this step.
        float(next(iter(self.losses.values()))[-1])
        text = self.estimate.note(time.monotonic(), steps, self.trainer.kimg)
        if text is not None:
            self.callbacks.on_message(text)

    def _end_reason(self, stop: threading.Event) -> EndReason | None:
        """Return why the run ends now, the same in all processes, or None."""
        config = self.trainer.config
        ended = {
            EndReason.MINUTES: config.minutes is not None and self._elapsed() >= 60 * config.minutes,
            EndReason.KIMG: config.kimg is not None and self.trainer.kimg >= config.kimg,
            EndReason.INTERRUPTED: stop.is_set(),
        }
        code = max((i for i, over in enumerate(ended.values(), start=1) if over), default=0)
        # Clocks and signals differ between processes, so they exchange a code before each step.
        agreed = self.trainer.processes.maximum(code, self.trainer.device)
        return list(ended)[agreed - 1] if agreed else None

    def _elapsed(self) -> float:
        return time.monotonic() - self.start_time

    def report(self) -> None:
        """Report the mean losses since the last report, to the log and to the caller.

        Raises TrainingFailed where a loss is not finite. Reading losses waits for the device, so it is done rarely.
        """
        if not self.losses:
            return
        losses = {name: float(torch.stack(values).mean()) for name, values in self.losses.items()}
        self.losses = {}
        bad = [name for name, value in losses.items() if not math.isfinite(value)]
        if bad:
            detail = f"{', '.join(bad)} is not finite at {self.trainer.kimg:.1f} kimg"
            last_good = ckpt.last_good(self.out / ckpt.CHECKPOINT)
            raise TrainingFailed(f"{detail}; {last_good}; lower --learning-rate or raise --r1-gamma")
        self._report_progress(losses)

    def _report_progress(self, losses: Mapping[str, float]) -> None:
        now, step = time.monotonic(), self.trainer.step
        last_time, last_step = self.last_report
        seconds = max(now - last_time, 1e-9)
        speed = (step - last_step) * self.trainer.config.batch / seconds
        wait = self.waited / seconds
        self.last_report, self.waited = (now, step), 0.0
        if self.writer is None:
            return
        self.writer.metric_log.write(self.trainer.kimg, {"images_per_second": speed, "data_wait": wait, **losses})
        elapsed = now - self.start_time
        progress = Progress(
            kimg=self.trainer.kimg,
            images_per_second=speed,
            data_wait=wait,
            elapsed=elapsed,
            remaining=remaining_seconds(self.trainer.config, self.trainer.kimg, elapsed, speed),
            losses=losses,
        )
        self.callbacks.on_progress(progress)
        warning = self.game.judge(self.trainer.kimg, losses)
        if warning is not None:
            self.callbacks.on_message(warning)


def remaining_seconds(config: TrainConfig, kimg: float, elapsed: float, images_per_second: float) -> float | None:
    """Return the seconds until a run ends by `minutes` or by `kimg`, whichever is sooner; None where nothing ends it.

    The run has trained on `kimg` thousand images in `elapsed` seconds. The result is never negative.
    """
    ends = []
    if config.minutes is not None:
        ends.append(60 * config.minutes - elapsed)
    if config.kimg is not None and images_per_second > 0:
        ends.append((config.kimg - kimg) * 1000 / images_per_second)
    return max(min(ends), 0.0) if ends else None
