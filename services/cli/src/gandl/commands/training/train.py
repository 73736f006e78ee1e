"""`gandl train`: train a StyleGAN2 on the images of a plate folder, without labels."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from gandl_shared.errors import BadInput
from gandl_shared.plates import find_table
from gandl_training import config as configs
from gandl_training.config import TrainConfig
from gandl_training.data.field_store import FieldStore
from gandl_training.data.source import Source
from gandl_training.process_group import is_main_process
from gandl_training.run import training_run
from gandl_training.run.loop import Callbacks, EndReason, Outcome, Progress
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from gandl.screening.image_options import ImageOptions, with_image_options
from gandl.terminal.table_notes import Sheet

Images = Annotated[
    Path | None,
    typer.Argument(
        help="Folder of the images, or of a run whose packed fields a new run shall use. --resume needs none."
    ),
]
PlateMapFile = Annotated[
    Path | None,
    typer.Option(
        "--platemap",
        help="Plate map (CSV or .xlsx). Only wells that hold cells are used for training. If absent: the table of a "
        "published data set beside the images, or else the names of RxRx images.",
    ),
]
Out = Annotated[Path, typer.Option(help="Folder of the run.")]


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """The options of a run as the user typed them; for None the value of the preset is used."""

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
    contrast: float | None
    augment: bool | None
    holdout: float | None
    channel_names: str | None
    single_cells: bool
    image: ImageOptions

    def config(self) -> TrainConfig:
        """Return the preset with these options in place. Raises BadInput."""
        terms = {
            "gan": self.loss,
            "r1_gamma": self.r1_gamma,
            "path_length_weight": self.path_length,
            "lipschitz_weight": self.lipschitz,
            "lipschitz_power": self.lipschitz_power,
            "contrast_weight": self.contrast,
        }
        parts = {"network": {"resolution": self.resolution}, "loss": terms, "augment": {"adaptive": self.augment}}
        names = ("batch", "seed", "learning_rate", "holdout")
        config = configs.with_changes(
            configs.preset(self.preset or "cpu-64"), parts | {name: getattr(self, name) for name in names}
        )
        if self.lipschitz_power is not None and not config.loss.lipschitz_weight:
            raise BadInput("--lipschitz-power has no effect: give the weight of the penalty by --lipschitz too")
        adversarial = {
            "--r1-gamma": self.r1_gamma,
            "--path-length": self.path_length,
            "--lipschitz": self.lipschitz,
            "--augment": self.augment,
        }
        without_effect = [name for name, value in adversarial.items() if value]
        if config.loss.gan == "none" and without_effect:
            raise BadInput(
                f"{', '.join(without_effect)}: no effect with --loss none, which has no generator; leave it out"
            )
        return config

    def source(self, images: Path | None, platemap: Path | None, sheet: str | None) -> Source:
        """Return where the images are and how they are read. Raises BadInput where `images` is absent."""
        if images is None:
            raise BadInput("a new run needs images: give their folder before --out")
        if platemap is None and not self.single_cells:
            platemap = find_table(images)
        names = tuple(self.channel_names.split(",")) if self.channel_names else None
        return Source(
            images,
            platemap,
            downscale=self.downscale or 1,
            pattern=self.image.pattern,
            channel_names=names,
            channels=self.image.channel_list,
            choice=self.image.choice,
            sheet=sheet,
            single_cells=self.single_cells,
        )

    def check_resumable(self) -> None:
        """Raise BadInput if any option is set: a resumed run uses its own settings, and would silently ignore these."""
        options = vars(self) | vars(self.image)
        absent = vars(ImageOptions()) | dict.fromkeys(vars(self)) | {"single_cells": False}
        names = sorted(
            f"--{name.replace('_', '-')}"
            for name, value in options.items()
            if name != "image" and value != absent[name]
        )
        if names:
            raise BadInput(
                f"--resume continues with the settings of the run; {', '.join(names)} cannot be changed: leave them "
                "out, or start a run in a new folder"
            )


@with_image_options
def train(
    out: Out,
    images: Images = None,
    platemap: PlateMapFile = None,
    *,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Preset: cpu-64, gpu-64, cells-64, tiles-64, gpu-128, gpu-256 or paper. The default is cpu-64."
        ),
    ] = None,
    resolution: Annotated[
        int | None, typer.Option(help="Edge of a tile in pixels after downscaling, a power of two.")
    ] = None,
    downscale: Annotated[
        int | None,
        typer.Option(min=1, help="Average blocks of this many pixels per edge before training. The default is 1."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this many minutes.")] = None,
    kimg: Annotated[float | None, typer.Option(help="Stop after this many thousand images in all.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images per step, over all processes together.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of all random numbers of the training. The default is 0.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Learning rate of Adam.")] = None,
    loss: Annotated[str | None, typer.Option(help="Loss of the two networks: logistic, wasserstein or none.")] = None,
    r1_gamma: Annotated[float | None, typer.Option(help="Weight of R1, the gradient penalty on real images.")] = None,
    path_length: Annotated[
        float | None, typer.Option(help="Weight of the path-length regularisation of the generator.")
    ] = None,
    lipschitz: Annotated[
        float | None, typer.Option(help="Weight of the one-sided Lipschitz penalty of the discriminator.")
    ] = None,
    lipschitz_power: Annotated[
        int | None,
        typer.Option(help="Exponent of the Lipschitz penalty: 1 as in the paper, or 2 (WGAN-LP). The default is 1."),
    ] = None,
    contrast: Annotated[
        float | None,
        typer.Option(
            help="Weight of the contrastive term of the discriminator: two views of an image agree. With --loss none "
            "the discriminator learns by this term alone."
        ),
    ] = None,
    augment: Annotated[
        bool | None, typer.Option("--augment/--no-augment", help="Use adaptive augmentation of the discriminator.")
    ] = None,
    holdout: Annotated[
        float | None, typer.Option(help="Share of the wells that training does not use, to measure overfitting.")
    ] = None,
    channel_names: Annotated[
        str | None, typer.Option(help="Names of the channels for the model card, comma separated, such as GFP,DNA.")
    ] = None,
    single_cells: Annotated[
        bool,
        typer.Option(
            "--single-cells", help="Each file is the image of one cell with all channels: no plate map, no wells."
        ),
    ] = False,
    sheet: Sheet = None,
    pack_only: Annotated[
        bool,
        typer.Option(
            "--pack-only", help="Pack the images into --out and stop; --resume trains there, also without the images."
        ),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Resume the run in --out, up to its own end unless --kimg or --minutes gives another one."
        ),
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Number of CPU threads. The default is all cores.")] = None,
    image: ImageOptions,
) -> None:
    """Train a StyleGAN2 on plate images; `gandl export` turns its discriminator into a featurizer.

    Options that are left out are those of the preset. Ctrl-C and SIGTERM save the run and stop it; --resume continues
    it exactly where it stopped, up to the --kimg of the run unless another end is given.
    """
    if threads:
        training_run.use_threads(threads)
    options = TrainingOptions(
        preset=preset,
        resolution=resolution,
        downscale=downscale,
        batch=batch,
        seed=seed,
        learning_rate=learning_rate,
        loss=loss,
        r1_gamma=r1_gamma,
        path_length=path_length,
        lipschitz=lipschitz,
        lipschitz_power=lipschitz_power,
        contrast=contrast,
        augment=augment,
        holdout=holdout,
        channel_names=channel_names,
        single_cells=single_cells,
        image=image,
    )
    command = shlex.join(["gandl", *sys.argv[1:]])
    if pack_only:
        if resume:
            raise BadInput("--pack-only begins a run and --resume continues one; give one of them")
        store = training_run.pack_run(options.config(), options.source(images, platemap, sheet), out, command=command)
        typer.echo(_packed_summary(store, out))
        return
    config = training_run.config_to_resume(out) if resume else options.config()
    if not resume or minutes is not None or kimg is not None:
        config = replace(config, minutes=minutes, kimg=kimg)
    if resume:
        options.check_resumable()
        source = None if images is None else options.source(images, platemap, sheet)
        run = partial(training_run.resume, config, source, out)
    else:
        run = partial(training_run.start, config, options.source(images, platemap, sheet), out)
    with _progress_bar(visible=is_main_process()) as bar:
        on_progress = partial(_show, bar, bar.add_task("training", total=None, text=""))
        outcome = run(Callbacks(on_progress=on_progress, on_message=bar.console.print), command=command)
    if is_main_process():
        typer.echo(_outcome_text(outcome, out))


def _outcome_text(outcome: Outcome, out: Path) -> str:
    text = f"{outcome.reason}: {outcome.kimg:.1f} kimg, {outcome.images_per_second:.1f} images/s, {outcome.checkpoint}"
    if outcome.reason is not EndReason.INTERRUPTED:
        return text
    return f"{text}; go on with: gandl train --out {shlex.quote(str(out))} --resume"


def _packed_summary(store: FieldStore, out: Path) -> str:
    fields, channels, height, width = store.fields.shape
    kind = "images of single cells" if store.index.single_cells else "fields"
    return (
        f"{out}: {fields} {kind} of {height}×{width} pixels, {channels} channels ({', '.join(store.index.channels)}); "
        f"train on them with: gandl train --out {out} --resume --kimg 60"
    )


def _progress_bar(*, visible: bool) -> ProgressBar:
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn()
    return ProgressBar(*columns, disable=not visible)


def _show(bar: ProgressBar, task: TaskID, progress: Progress) -> None:
    remaining = "" if progress.remaining is None else f", {progress.remaining / 60:.1f} min left"
    losses = " ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
    text = f"{progress.kimg:.1f} kimg, {progress.images_per_second:.1f} images/s{remaining}; {losses}"
    total = None if progress.remaining is None else progress.elapsed + progress.remaining
    bar.update(task, completed=progress.elapsed, total=total, text=text)
