"""`gandl analyse`: the output folder of `gandl screen` again, or a table of vectors from any other program."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from gandl_analysis.formats.output_folder import FEATURES, read_folder_images, read_folder_thumbnails, write_files
from gandl_analysis.formats.profiles.read import TableOptions, read_profile_table
from gandl_analysis.formats.reread import read_folder, with_exclusions
from gandl_analysis.pipeline import analyse as pipeline
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_shared.errors import BadInput
from gandl_shared.models import TableCard
from gandl_shared.schemas.vocabulary import TableLevel
from gandl_shared.store import ImageFolder, is_text

from gandl.screening.analysis_options import AnalysisOptions, with_analysis_options
from gandl.screening.memory import keep_memory_for
from gandl.screening.plate_maps import PositiveControl, positive_words
from gandl.screening.run import check_output_folder
from gandl.terminal.curve_tables import print_screen_ratios
from gandl.terminal.retrieval_table import print_retrieval
from gandl.terminal.screen_tables import print_screen
from gandl.terminal.table_notes import print_notes


@with_analysis_options
def analyse(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|TABLE",
            help="Output folder of `gandl screen`, or a table of vectors: Parquet, CSV, CSV.GZ or .h5ad.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the results; it may be the same folder.")],
    platemap: Annotated[
        Path | None, typer.Option(help="What the wells of a TABLE hold, where it does not say so itself: CSV or .xlsx.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of the plate map, if it is a workbook.")] = None,
    positive_control: PositiveControl = None,
    level: Annotated[
        TableLevel | None, typer.Option(help="What a row of a TABLE is, where its columns do not say so.")
    ] = None,
    retrieval: Annotated[
        bool,
        typer.Option(
            "--retrieval",
            help="Also write retrieval.csv: whether replicates, and compounds of one mechanism (column `moa`), find "
            "each other among all others.",
        ),
    ] = False,
    analysis: AnalysisOptions,
) -> None:
    """Analyse a screen again with other parameters, or the features of any other program.

    Needs neither images nor model, and writes the same files as `gandl screen`. An option that is not given has its
    default, not its value in the folder.
    """
    keep_memory_for([source])
    check_output_folder(out, source, platemap)
    positive = positive_words(positive_control)
    options = TableOptions(plate_map=platemap, sheet=sheet, positive=positive, level=level)
    screen, further = _input(source, options, analysis)
    screen = replace(screen, parameters=screen.parameters.model_copy(update={"retrieval": retrieval}))
    analysed = pipeline.analyse(screen)
    # They are read before the files of the folder are replaced, which may be the same folder.
    thumbnails = read_folder_thumbnails(source) if source.is_dir() else ()
    images = _images(source, out)
    write_files(analysed, screen.profiles, out, further, thumbnails=lambda: thumbnails, images=images)
    print_notes(analysed.analysis.notes)
    print_screen(analysed.analysis)
    print_screen_ratios(analysed.analysis)
    print_retrieval(analysed.analysis.quality)
    typer.echo(f"{out / 'report.html'}")


def _images(source: Path, out: Path) -> ImageFolder | None:
    """Return where the images of a folder are, relative to the new results."""
    images = read_folder_images(source) if source.is_dir() else None
    if images is None:
        return None
    folder = os.path.relpath((source / images.folder).resolve(), out.resolve())
    return replace(images, folder=folder) if is_text(folder) else None


def _input(source: Path, options: TableOptions, analysis: AnalysisOptions) -> tuple[ScreenInput, dict[str, bytes]]:
    """Return what is analysed, and the files beside the results that tell how it was read."""
    parameters, axes = analysis.read_parameters(), analysis.read_axes()
    if not source.is_dir() and source.exists():
        table = read_profile_table(source, parameters, options, axes)
        return table.screen, {FEATURES: table.features.encode()}
    if options != TableOptions():
        raise BadInput(
            "--platemap, --sheet, --positive-control and --level are for a table of vectors; a folder has wells.csv"
        )
    screen = with_exclusions(read_folder(source, parameters, axes), source)
    # The features of a table belong to its vectors, which the folder keeps.
    features = source / FEATURES
    is_of_table = isinstance(screen.card, TableCard) and features.is_file()
    return screen, {FEATURES: features.read_bytes()} if is_of_table else {}
