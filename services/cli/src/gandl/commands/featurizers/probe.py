"""`gandl probe`: how well labels of images can be read off the vectors of featurizers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from gandl_shared.errors import BadInput
from gandl_shared.files.atomic import replace_files
from gandl_shared.imaging import split_sites
from gandl_shared.plates import (
    EVERY_CONTROL,
    find_table,
    part_with_images,
    plate_map_of_names,
    read_plate_map,
    single_cells,
)
from rich.console import Console
from rich.progress import Progress, TaskID

from gandl.featurizers.names import baseline_name
from gandl.probing.folders import CellFolder, ImageFolder, PlateFolder
from gandl.probing.probe import ProbedModel, probe_model
from gandl.screening.featurizers import MODEL_HELP, TileOptions, with_tile_options
from gandl.screening.image_options import ImageOptions, with_image_options
from gandl.screening.run import ScreenJob
from gandl.terminal.probe_table import print_probes, probes_csv
from gandl.terminal.table_notes import Sheet


@with_image_options
@with_tile_options
def probe(
    images: Annotated[Path, typer.Argument(help="Folder of the images.")],
    model: Annotated[list[str], typer.Option(help=f"{MODEL_HELP} Give it again for further featurizers.")],
    labels: Annotated[str, typer.Option(help="Column of the labels, such as phenotype or cell_line.")],
    groups: Annotated[
        str, typer.Option(help="Column of what is held out as a whole, such as plate; never the single image.")
    ],
    platemap: Annotated[
        Path | None,
        typer.Option(help="Plate map (CSV or .xlsx). If absent: the table of a published data set, or RxRx names."),
    ] = None,
    *,
    sheet: Sheet = None,
    cells: Annotated[
        bool,
        typer.Option("--single-cells", help="Each file is the image of one cell; give --table or --names for columns."),
    ] = False,
    table: Annotated[
        Path | None, typer.Option(help="Table (CSV or .xlsx) of single cells with a column file and further columns.")
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(help="Pattern of the file names of single cells: {phenotype}/PL{plate}--{any}.png has 2 columns."),
    ] = None,
    channel_names: Annotated[
        str | None,
        typer.Option(help="Names of the channels of single cells, comma separated; cp-measure needs one such as DNA."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file to write, with the F1 of each label.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the models; all cores if absent.")] = None,
    image: ImageOptions,
    tiles: TileOptions,
) -> None:
    """Probe featurizers: how well a linear classifier reads labels off their vectors, on unseen groups.

    The protocol is fixed (docs/featurizers.md), so that figures compare: an image is the mean over its tiles, a group
    is never divided, F1 is over all held-out images, and 95 % intervals resample groups.
    """
    folder: ImageFolder
    if cells:
        folder = replace(
            _cells(images, platemap, table, names, image),
            channel_names=tuple(channel_names.split(",")) if channel_names else None,
        )
    else:
        folder = _plates(images, platemap, sheet, table or names or channel_names, image)
    tiles.check(is_file=all(baseline_name(name) is None for name in model))
    console = Console(stderr=True)
    models: list[ProbedModel] = []
    with Progress(console=console, transient=True) as bar:
        for name in model:
            task = bar.add_task(name, total=None)
            embedder = folder.featurizer(name, tiles, threads=threads)
            models.append(probe_model(folder, embedder, labels, groups, partial(_show, bar, task)))
    print_probes(models)
    if out is not None:
        try:
            replace_files(out.parent, {out.name: probes_csv(models).encode()})
        except OSError as error:
            raise BadInput(f"{out} cannot be written: {error.strerror}") from error


def _cells(
    images: Path, platemap: Path | None, table: Path | None, names: str | None, options: ImageOptions
) -> CellFolder:
    if platemap is not None or options != ImageOptions():
        raise BadInput(
            "with --single-cells each file is one image without a well, so that --platemap and options which choose or "
            "combine files have no effect: leave them out"
        )
    if (table is None) == (names is None):
        raise BadInput("--single-cells needs the columns of the images: give either --table or --names")
    return CellFolder(sites=split_sites(single_cells(images)), table=table, names=names)


def _plates(
    images: Path, platemap: Path | None, sheet: str | None, columns: Path | str | None, options: ImageOptions
) -> PlateFolder:
    if columns is not None:
        raise BadInput(
            "--table, --names and --channel-names are for --single-cells; plates have the columns of their plate map"
        )
    file = platemap or find_table(images)
    if file is None:
        plate_map = plate_map_of_names(images)
    else:
        plate_map = read_plate_map(file, controls=False, sheet=sheet, positive=EVERY_CONTROL)
    job = ScreenJob(
        images=images,
        plate_map=file or images,
        out=images,
        pattern=options.pattern,
        channels=options.channel_list,
        choice=options.choice,
        sheet=sheet,
    )
    return PlateFolder(job=job, plate_map=part_with_images(images, plate_map, options.pattern))


def _show(bar: Progress, task: TaskID, done: int, count: int) -> None:
    bar.update(task, completed=done, total=count)
