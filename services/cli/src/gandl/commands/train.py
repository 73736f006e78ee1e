"""`gandl train`: a StyleGAN2 on the images of a plate folder, without labels."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gandl_training.config import TrainConfig
    from gandl_training.data.dataset import Source
    from gandl_training.run.loop import Progress
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

Images = Annotated[Path, typer.Argument(help="Folder of the images.")]
PlateMapFile = Annotated[Path, typer.Option("--platemap", help="Plate map (CSV); only used wells are trained on.")]
Out = Annotated[Path, typer.Option(help="Folder of the run.")]


@dataclass(frozen=True)
class TrainingOptions:
    """What a run is made of, as it was given; None is not given, and then the preset's."""

    preset: str | None
    resolution: int | None
    downscale: int | None
    batch: int | None
    seed: int | None
    learning_rate: float | None
    loss: str | None
    r1_gamma: float | None
    path_length: float | None
    lipschitz: float | None
    lipschitz_power: int | None
    augment: bool | None
    holdout: float | None
    pattern: str | None
    channel_names: str | None

    def config(self) -> TrainConfig:
        """The preset with what was given in place. Raises BadInput."""
        from gandl_shared.errors import BadInput
        from gandl_training import config as configs

        terms = {
            "gan": self.loss,
            "r1_gamma": self.r1_gamma,
            "path_length_weight": self.path_length,
            "lipschitz_weight": self.lipschitz,
            "lipschitz_power": self.lipschitz_power,
        }
        parts = {"network": {"resolution": self.resolution}, "loss": terms, "augment": {"adaptive": self.augment}}
        names = ("batch", "seed", "learning_rate", "holdout")
        config = configs.changed(
            configs.preset(self.preset or "cpu-64"), parts | {name: getattr(self, name) for name in names}
        )
        if self.lipschitz_power is not None and not config.loss.lipschitz_weight:
            raise BadInput("--lipschitz-power has nothing to act on: give the weight of the penalty by --lipschitz")
        return config

    def source(self, images: Path, platemap: Path) -> Source:
        """Where the images are and how they are read."""
        from gandl_training.data.dataset import Source

        names = tuple(self.channel_names.split(",")) if self.channel_names else None
        return Source(images, platemap, self.downscale or 1, self.pattern, names)

    def refuse(self) -> None:
        """A run that goes on keeps its settings: raises BadInput for those given, rather than pass over them."""
        from gandl_shared.errors import BadInput

        given = sorted(f"--{name.replace('_', '-')}" for name, value in vars(self).items() if value is not None)
        if given:
            told = ", ".join(given)
            raise BadInput(
                f"--resume goes on with the run's own settings; {told} cannot be changed: start a run in a new folder"
            )


def train(
    images: Images,
    platemap: PlateMapFile,
    out: Out,
    preset: Annotated[str | None, typer.Option(help="cpu-64 (if absent), gpu-128, gpu-256 or paper.")] = None,
    resolution: Annotated[int | None, typer.Option(help="Edge of a tile, a power of two.")] = None,
    downscale: Annotated[
        int | None, typer.Option(min=1, help="Average over blocks of this many pixels first; 1 if absent.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this time.")] = None,
    kimg: Annotated[float | None, typer.Option(help="Stop after this many thousand images in all.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images a step, of all processes together.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random; 0 if absent.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's.")] = None,
    loss: Annotated[str | None, typer.Option(help="logistic or wasserstein.")] = None,
    r1_gamma: Annotated[float | None, typer.Option(help="Weight of R1.")] = None,
    path_length: Annotated[float | None, typer.Option(help="Weight of path-length regularisation.")] = None,
    lipschitz: Annotated[float | None, typer.Option(help="Weight of the one-sided Lipschitz penalty.")] = None,
    lipschitz_power: Annotated[
        int | None, typer.Option(help="Its power p: 1 (the paper's) or 2 (WGAN-LP); 1 if absent.")
    ] = None,
    augment: Annotated[bool | None, typer.Option("--augment/--no-augment", help="Adaptive augmentation.")] = None,
    holdout: Annotated[
        float | None, typer.Option(help="Share of wells kept from training, to see overfitting.")
    ] = None,
    pattern: Annotated[str | None, typer.Option(help="File names: {plate}/{well}_s{site}_w{channel}.tif.")] = None,
    channel_names: Annotated[str | None, typer.Option(help="Names for the card, comma separated: GFP,DNA.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default all.")] = None,
) -> None:
    """Train a StyleGAN2 on plate images; `gandl export` turns its discriminator into a featurizer.

    What is not given is the preset's. Ctrl-C and SIGTERM save and stop; --resume goes on exactly where it was.
    """
    from gandl_training.process_group import leads
    from gandl_training.run import checkpoint, loop

    if threads:
        loop.use_threads(threads)
    options = TrainingOptions(
        preset,
        resolution,
        downscale,
        batch,
        seed,
        learning_rate,
        loss,
        r1_gamma,
        path_length,
        lipschitz,
        lipschitz_power,
        augment,
        holdout,
        pattern,
        channel_names,
    )
    command = shlex.join(["gandl", *sys.argv[1:]])
    if resume:
        options.refuse()
        config, go = checkpoint.load(out / checkpoint.CHECKPOINT).config, loop.resume
    else:
        config, go = options.config(), loop.start
    config = replace(config, minutes=minutes, kimg=kimg)
    with _bar(shown=leads()) as bar:
        show = partial(_show, bar, bar.add_task("training", total=None, text=""))
        source = options.source(images, platemap)
        outcome = go(config, source, out, loop.Listeners(show, bar.console.print), command=command)
    if leads():
        typer.echo(
            f"{outcome.reason}: {outcome.kimg:.1f} kimg, {outcome.images_per_second:.1f} images/s, {outcome.checkpoint}"
        )


def _bar(*, shown: bool) -> Bar:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn()
    return Progress(*columns, disable=not shown)


def _show(bar: Bar, task: TaskID, progress: Progress) -> None:
    left = "" if progress.remaining is None else f", {progress.remaining / 60:.1f} min left"
    losses = " ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
    text = f"{progress.kimg:.1f} kimg, {progress.images_per_second:.1f} images/s{left}; {losses}"
    total = None if progress.remaining is None else progress.elapsed + progress.remaining
    bar.update(task, completed=progress.elapsed, total=total, text=text)
