"""The files that the main process of a run writes: checkpoints, snapshots, sample grids and metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gandl_training.data.crops import Crops
from gandl_training.evaluation.evaluator import Evaluator, generate_tiles
from gandl_training.evaluation.sample_grid import sample_grid, save_png
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.metric_log import SAMPLES, MetricLog
from gandl_training.steps.step import Trainer

SNAPSHOTS = "snapshots"
GRID_TILES = 64
SNAPSHOT_PARTS = ("discriminator", "discriminator_ema", "generator_ema")
"""A snapshot holds only these parts of the state: it can be exported, but not resumed."""


class RunWriter:
    """Writes into the folder `out` of a run, and evaluates the run for its metrics."""

    def __init__(self, trainer: Trainer, crops: Crops, held_out: Sequence[int], out: Path) -> None:
        self.trainer, self.out = trainer, out
        for folder in (SAMPLES, SNAPSHOTS):
            (out / folder).mkdir(exist_ok=True)
        self.metric_log = MetricLog(out)
        self.evaluator = Evaluator.from_crops(crops, held_out)

    def write_baselines(self) -> list[str]:
        """Write the probes of the baselines into the log, and return a sentence for each cell line.

        Call it before the first step, because the discriminator is one of the baselines as long as it is untrained.
        """
        values, sentences = {}, []
        for cell_line, results in self.evaluator.baselines(self.trainer.discriminator_ema).items():
            texts = []
            for name, result in results.items():
                values[f"baseline/accuracy_{cell_line}_{name}"] = result.accuracy
                texts.append(f"{name} {result.accuracy:.3f}")
                if result.z_prime is not None:
                    values[f"baseline/z_prime_{cell_line}_{name}"] = result.z_prime
                    texts[-1] += f" (Z′ {result.z_prime:.2f})"
            sentences.append(
                f"baselines on the control tiles of {cell_line}, accuracy: {', '.join(texts)}; a featurizer that is "
                "not above intensity and pca has learned no more than brightness, and one that is not above the "
                "untrained network has learned nothing of use"
            )
        if values:
            self.metric_log.write(self.trainer.kimg, values)
        return sentences

    def write_due(self, check_losses: Callable[[], None]) -> None:
        """Write what is due after this step; `check_losses` raises where losses since the last report are not finite.

        Losses are checked before a checkpoint replaces a good one, and before broken networks are evaluated.
        """
        config = self.trainer.config
        if self._is_due(config.sample_kimg):
            self.write_sample_grid()
        if self._is_due(config.checkpoint_kimg):
            check_losses()
            self.save(self.out / ckpt.CHECKPOINT)
        if self._is_due(config.snapshot_kimg):
            self.save(self.out / SNAPSHOTS / f"kimg-{self.trainer.kimg:09.3f}.pt", SNAPSHOT_PARTS)
        if self._is_due(config.quality_kimg):
            check_losses()
            generator = self.trainer.generator_ema if self.trainer.has_generator else None
            metrics = self.evaluator.evaluate(generator, self.trainer.discriminator_ema)
            self.metric_log.write(self.trainer.kimg, metrics)

    def finish(self) -> None:
        """Write the last checkpoint and sample grid, and close the log."""
        self.save(self.out / ckpt.CHECKPOINT)
        self.write_sample_grid()
        self.metric_log.close()

    def save(self, path: Path, parts: Sequence[str] | None = None) -> None:
        """Write a checkpoint, or only `parts` of the state. Raises TrainingFailed."""
        trainer = self.trainer
        state = {name: value for name, value in trainer.state().items() if parts is None or name in parts}
        ckpt.save(ckpt.Checkpoint(config=trainer.config, step=trainer.step, state=state), path)

    def write_sample_grid(self) -> None:
        """Write 64 real tiles beside 64 tiles of the averaged generator, always from the same latents.

        There is nothing to write where no generator is trained.
        """
        if not self.trainer.has_generator:
            return
        generated = generate_tiles(self.trainer.generator_ema, GRID_TILES, seed=0)
        picture = sample_grid(self.evaluator.real[:GRID_TILES], generated)
        save_png(picture, self.out / SAMPLES / f"kimg-{self.trainer.kimg:09.3f}.png")
        self.metric_log.add_picture(self.trainer.kimg, picture)

    def _is_due(self, every_kimg: float) -> bool:
        """True if the last step passed a multiple of `every_kimg` thousand images."""
        batch = self.trainer.config.batch
        images = self.trainer.step * batch
        # Whole numbers, because two steps could pass one mark that was rounded as a float.
        interval = max(round(1000 * every_kimg), 1)
        return images // interval > (images - batch) // interval
