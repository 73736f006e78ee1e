"""`gandl inspect`: what a folder of images holds, what is still open, and the command to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from gandl_embedding.engine import Engine
from gandl_shared.jobs import Subject, inspect_images
from gandl_shared.plates import find_table, read_plate_map

from gandl.featurizers.names import baseline_name
from gandl.screening.image_options import ImageOptions, with_image_options
from gandl.screening.plate_maps import PositiveControl, positive_words
from gandl.terminal.inspection_table import print_report
from gandl.terminal.table_notes import Sheet, print_notes


@with_image_options
def inspect(
    images: Annotated[Path, typer.Argument(help="Folder of the images, or an archive or URL of OME-Zarr.")],
    platemap: Annotated[
        Path | None,
        typer.Option(help="Plate map with one row per well. If absent: the table of a published data set, if any."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="ONNX featurizer, whose channels are assigned, or the name of a baseline.")
    ] = None,
    *,
    sheet: Sheet = None,
    positive_control: PositiveControl = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    image: ImageOptions,
) -> None:
    """Print what a folder of images holds, what is still open, and the command to run.

    Nothing is written. Exit code 1 says that something is open.
    """
    is_file = model is not None and baseline_name(str(model)) is None
    table = platemap or find_table(images)
    positive = positive_words(positive_control)
    plate_map = None if table is None else read_plate_map(table, controls=False, sheet=sheet, positive=positive)
    if plate_map is not None:
        print_notes(plate_map.notes)
    subject = Subject(
        images=images,
        plate_map=plate_map,
        plate_map_name="MAP.csv" if table is None else str(table),
        # A baseline takes the channels of the images, as no model at all does.
        card=Engine.load(model, threads=1).card if model is not None and is_file else None,
        model_name="MODEL.onnx" if model is None else str(model),
        positive=positive,
        pattern=image.pattern,
        channels=image.channel_list,
        choice=image.choice,
    )
    report = inspect_images(subject)
    if json:
        typer.echo(report.model_dump_json(indent=1))
    else:
        print_report(report)
    if report.problems:
        raise typer.Exit(1)
