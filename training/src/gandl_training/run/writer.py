"""What the first process of a run leaves on disk: checkpoints, snapshots, sheets and the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gandl_training.data.dataset import Crops
from gandl_training.evaluation.sample_grid import save_png, sheet
from gandl_training.evaluation.watch import Watch, generate
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.metric_log import SAMPLES, Journal
from gandl_training.steps.step import Trainer

SNAPSHOTS = "snapshots"
SHEET_TILES = 64
SNAPSHOT_PARTS = ("discriminator", "discriminator_ema", "generator_ema")


class Writer:
    """Writes into the folder `out` of a run, and watches it."""

    def __init__(self, trainer: Trainer, crops: Crops, held_out: Sequence[int], out: Path) -> None:
        self.trainer, self.out = trainer, out
        for folder in (SAMPLES, SNAPSHOTS):
            (out / folder).mkdir(exist_ok=True)
        self.journal = Journal(out)
        self.watch = Watch.of(crops, held_out)

    def milestones(self, check: Callable[[], None]) -> None:
        """Write what is due after this step; `check` raises where the losses since the last report are bad."""
        config = self.trainer.config
        if self._passed(config.sample_kimg):
            self.sheet()
        if self._passed(config.checkpoint_kimg):
            check()
            self.save(self.out / ckpt.CHECKPOINT)
        if self._passed(config.snapshot_kimg):
            self.save(self.out / SNAPSHOTS / f"kimg-{self.trainer.kimg:09.3f}.pt", SNAPSHOT_PARTS)
        if self._passed(config.quality_kimg):
            check()
            averages = self.trainer.generator_ema, self.trainer.discriminator_ema
            self.journal.write(self.trainer.kimg, self.watch.look(*averages))

    def finish(self) -> None:
        """The last checkpoint and sheet."""
        self.save(self.out / ckpt.CHECKPOINT)
        self.sheet()
        self.journal.close()

    def _passed(self, every: float) -> bool:
        shown, batch = self.trainer.step * self.trainer.config.batch, self.trainer.config.batch
        images = max(round(1000 * every), 1)  # whole numbers: a rounded float would let two steps pass one mark
        return shown // images > (shown - batch) // images

    def save(self, path: Path, parts: Sequence[str] | None = None) -> None:
        """Write a checkpoint, or only `parts` of the state (a snapshot, which can be exported but not resumed)."""
        t = self.trainer
        state = {k: v for k, v in t.state().items() if parts is None or k in parts}
        ckpt.save(ckpt.Checkpoint(t.config, t.step, state), path)

    def sheet(self) -> None:
        """64 real tiles beside 64 of the averaged generator, always the same latents."""
        picture = sheet(self.watch.real[:SHEET_TILES], generate(self.trainer.generator_ema, SHEET_TILES, seed=0))
        save_png(picture, self.out / SAMPLES / f"kimg-{self.trainer.kimg:09.3f}.png")
        self.journal.picture(self.trainer.kimg, picture)
