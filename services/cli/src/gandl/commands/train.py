"""`gandl train`: a StyleGAN2 on the images of a plate folder, without labels."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gandl_training.loop import Progress
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

Images = Annotated[Path, typer.Argument(help="Folder of the images.")]
PlateMapFile = Annotated[Path, typer.Option("--platemap", help="Plate map (CSV); only used wells are trained on.")]
Out = Annotated[Path, typer.Option(help="Folder of the run.")]


def train(
    images: Images,
    platemap: PlateMapFile,
    out: Out,
    preset: Annotated[str, typer.Option(help="cpu-64, gpu-128, gpu-256 or paper.")] = "cpu-64",
    resolution: Annotated[int | None, typer.Option(help="Edge of a tile, a power of two.")] = None,
    downscale: Annotated[int, typer.Option(min=1, help="Average over blocks of this many pixels first.")] = 1,
    minutes: Annotated[float | None, typer.Option(help="Stop after this time.")] = None,
    kimg: Annotated[float | None, typer.Option(help="Stop after this many thousand images in all.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images a step, of all processes together.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's.")] = None,
    loss: Annotated[str | None, typer.Option(help="logistic or wasserstein.")] = None,
    r1_gamma: Annotated[float | None, typer.Option(help="Weight of R1.")] = None,
    path_length: Annotated[float | None, typer.Option(help="Weight of path-length regularisation.")] = None,
    lipschitz: Annotated[float | None, typer.Option(help="Weight of the one-sided Lipschitz penalty.")] = None,
    augment: Annotated[bool | None, typer.Option("--augment/--no-augment", help="Adaptive augmentation.")] = None,
    holdout: Annotated[
        float | None, typer.Option(help="Share of wells kept from training, to see overfitting.")
    ] = None,
    pattern: Annotated[str | None, typer.Option(help="File names: {plate}/{well}_s{site}_w{channel}.tif.")] = None,
    channel_names: Annotated[str | None, typer.Option(help="Names for the card, comma separated: GFP,DNA.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    threads: Annotated[int | None, typer.Option(help="CPU threads; default all.")] = None,
) -> None:
    """Train a StyleGAN2 on plate images; `gandl export` turns its discriminator into a featurizer.

    What is not given is the preset's. Ctrl-C and SIGTERM save and stop; --resume goes on exactly where it was.
    """
    from gandl_training import checkpoint, loop
    from gandl_training import config as configs
    from gandl_training.dataset import Source

    if threads:
        loop.use_threads(threads)
    command, ends = shlex.join(["gandl", *sys.argv[1:]]), {"minutes": minutes, "kimg": kimg}
    with _bar() as bar:
        task = bar.add_task("training", total=None, text="")

        def show(progress: Progress) -> None:
            _show(bar, task, progress)

        if resume:
            _refuse_settings(
                preset=preset if preset != "cpu-64" else None,
                resolution=resolution,
                batch=batch,
                learning_rate=learning_rate,
                loss=loss,
                r1_gamma=r1_gamma,
                path_length=path_length,
                lipschitz=lipschitz,
                augment=augment,
                holdout=holdout,
            )
            config = replace(checkpoint.load(out / checkpoint.CHECKPOINT).config, minutes=minutes, kimg=kimg)
            loop.note_command(out, command)
            outcome = loop.run(config, out, show)
        else:
            terms = {
                "gan": loss,
                "r1_gamma": r1_gamma,
                "path_length_weight": path_length,
                "lipschitz_weight": lipschitz,
            }
            parts = {"network": {"resolution": resolution}, "loss": terms, "augment": {"adaptive": augment}}
            whole = {"batch": batch, "seed": seed, "learning_rate": learning_rate, "holdout": holdout}
            config = configs.changed(configs.preset(preset), parts | whole | ends)
            names = tuple(channel_names.split(",")) if channel_names else None
            source = Source(images, platemap, downscale, pattern, names)
            outcome = loop.start(config, source, out, show, command=command)
    typer.echo(
        f"{outcome.reason}: {outcome.kimg:.1f} kimg, {outcome.images_per_second:.1f} images/s, {outcome.checkpoint}"
    )


def _refuse_settings(**given: object) -> None:
    """A run that goes on keeps its settings: raises BadInput for those that are given, rather than pass over them."""
    from gandl_shared.errors import BadInput

    names = [f"--{name.replace('_', '-')}" for name, value in sorted(given.items()) if value is not None]
    if names:
        told = ", ".join(names)
        raise BadInput(
            f"--resume goes on with the run's own settings; {told} cannot be changed: start a run in a new folder"
        )


def _bar() -> Bar:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn()
    )


def _show(bar: Bar, task: TaskID, progress: Progress) -> None:
    left = "" if progress.remaining is None else f", {progress.remaining / 60:.1f} min left"
    losses = " ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
    text = f"{progress.kimg:.1f} kimg, {progress.images_per_second:.1f} images/s{left}; {losses}"
    total = None if progress.remaining is None else progress.elapsed + progress.remaining
    bar.update(task, completed=progress.elapsed, total=total, text=text)
