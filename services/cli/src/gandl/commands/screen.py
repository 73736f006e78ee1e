"""`gandl screen`: from a folder of plate images to embeddings, efficacies, curves, quality and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandl.screening.analysis_options import AnalysisOptions, with_analysis_options
from gandl.screening.featurizers import MODEL_HELP, PrecisionOption, TileOptions, screen_featurizer, with_tile_options
from gandl.screening.image_options import AllowClipping, ImageOptions, limit_source, with_image_options
from gandl.screening.plate_maps import PositiveControl, plate_map_file, positive_words
from gandl.screening.run import ScreenJob, run
from gandl.terminal.curve_tables import print_screen_ratios
from gandl.terminal.progress import ScreenBar
from gandl.terminal.screen_tables import print_screen
from gandl.terminal.table_notes import Sheet, print_notes


@with_analysis_options
@with_image_options
@with_tile_options
def screen(
    images: Annotated[Path, typer.Argument(help="Folder of the images.")],
    model: Annotated[str, typer.Option(help=MODEL_HELP)],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    platemap: Annotated[
        Path | None,
        typer.Option(
            help="Plate map (CSV or .xlsx): one row per well, or plate-shaped blocks. If absent: the table of a "
            "published data set beside the images."
        ),
    ] = None,
    *,
    sheet: Sheet = None,
    positive_control: PositiveControl = None,
    limits: Annotated[
        str, typer.Option(help="Intensity limits: `plate` for percentiles of each plate, or the model's `card`.")
    ] = "plate",
    allow_clipping: AllowClipping = False,
    name: Annotated[str | None, typer.Option(help="Name of the screen; that of the output folder if absent.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the embedding; all cores if absent.")] = None,
    precision: PrecisionOption = None,
    tiles: TileOptions,
    image: ImageOptions,
    analysis: AnalysisOptions,
) -> None:
    """Screen a folder of plate images, without a server.

    Writes embeddings.parquet, wells.csv, sites.csv, dose_response.csv, quality.json, report.html and the fitted axes.
    """
    job = ScreenJob(
        images=images,
        plate_map=plate_map_file(images, platemap),
        out=out,
        name=name or out.resolve().name,
        pattern=image.pattern,
        channels=image.channel_list,
        choice=image.choice,
        sheet=sheet,
        positive=positive_words(positive_control),
        limits=limit_source(limits),
        allow_clipping=allow_clipping,
        parameters=analysis.read_parameters(),
        earlier=analysis.read_axes(),
    )
    embedder = screen_featurizer(model, job, tiles, threads=threads, precision=precision)
    with ScreenBar() as bar:
        result = run(job, embedder, on_progress=bar.progress, on_step=bar.step)
    print_notes(result.notes)
    print_screen(result)
    print_screen_ratios(result)
    typer.echo(f"{out / 'report.html'}")
