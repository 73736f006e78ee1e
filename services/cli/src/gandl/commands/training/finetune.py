"""`gandl finetune`: DenseNet-121 on labels of wells, as a featurizer to compare with."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from gandl_shared.plates import find_table
from gandl_training.classifier.fine_tuning import FineTuning, fine_tune
from gandl_training.data.source import Source
from gandl_training.export.card import Provenance
from gandl_training.run.training_run import use_threads
from rich.console import Console
from rich.progress import Progress

from gandl.screening.image_options import ImageOptions, with_image_options
from gandl.terminal.table_notes import Sheet


@with_image_options
def finetune(
    images: Annotated[Path, typer.Argument(help="Folder of the images.")],
    label: Annotated[
        str, typer.Option(help="Column of the plate map with the labels: role (controls), cell_line, or any other.")
    ],
    out: Annotated[Path, typer.Option(help="ONNX file to write.")],
    platemap: Annotated[
        Path | None,
        typer.Option(help="Plate map (CSV or .xlsx). If absent: the table of a published data set beside the images."),
    ] = None,
    *,
    weights: Annotated[
        Path | None,
        typer.Option(help="File of torchvision's weights of densenet121 (a state dict). Random weights if absent."),
    ] = None,
    resolution: Annotated[int, typer.Option(min=32, help="Edge of a tile in pixels after downscaling.")] = 64,
    downscale: Annotated[int, typer.Option(min=1, help="Average blocks of this many pixels per edge.")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Number of training steps.")] = 300,
    batch: Annotated[int, typer.Option(min=2, help="Tiles per step.")] = 32,
    learning_rate: Annotated[float, typer.Option(help="Learning rate of Adam.")] = 3e-4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 0,
    name: Annotated[str | None, typer.Option(help="Name on the card. The default is the name of the file.")] = None,
    channel_names: Annotated[str | None, typer.Option(help="Names of the channels, as in GFP,DNA.")] = None,
    data: Annotated[str, typer.Option(help="Name of the training data, for the card.")] = "unspecified images",
    licence: Annotated[str, typer.Option(help="Licence of weights and data, for the card.")] = "unspecified",
    sheet: Sheet = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Number of CPU threads. The default is all cores.")] = None,
    image: ImageOptions,
) -> None:
    """Fine-tune DenseNet-121 on a column of labels, and export its features as a featurizer.

    One in five wells of each class is held out, and their accuracy goes on the card. The features of a model that was
    fine-tuned on the controls of a plate separate these controls better than those of another plate: screen other
    plates with it, or read its Z′ as a bound from above.
    """
    if threads:
        use_threads(threads)
    source = Source(
        images,
        platemap or find_table(images),
        downscale=downscale,
        pattern=image.pattern,
        channel_names=tuple(channel_names.split(",")) if channel_names else None,
        channels=image.channel_list,
        choice=image.choice,
        sheet=sheet,
    )
    options = FineTuning(
        label=label,
        size=resolution,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        seed=seed,
        weights=weights,
    )
    provenance = Provenance(name=name or out.stem, data=data, licence=licence)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fine-tuning", total=steps)
        card = fine_tune(
            options,
            source,
            provenance,
            out,
            command=shlex.join(["gandl", *sys.argv[1:]]),
            on_step=lambda step, loss: bar.update(task, completed=step, description=f"fine-tuning, loss {loss:.3f}"),
        )
    typer.echo(
        f"{out}: {card.features} features of {card.name}, {card.training.data}; accuracy on held-out wells "
        f"{card.metrics['held_out_accuracy']:.2f}"
    )
    if label == "role":
        typer.echo("It was trained on controls of these plates, so its Z′ on the same plates is a bound from above.")
