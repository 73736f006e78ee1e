"""`gandl analyse`: the output folder of `gandl screen` again, with other parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from gandl_analysis.formats.output_folder import write_files
from gandl_analysis.formats.reread import read_folder
from gandl_analysis.pipeline import analyse as pipeline

from gandl.screening.analysis_options import AnalysisOptions, with_analysis_options
from gandl.screening.run import check_output_folder
from gandl.terminal.screen_tables import print_screen
from gandl.terminal.table_notes import print_notes


@with_analysis_options
def analyse(
    folder: Annotated[Path, typer.Argument(help="Output folder of `gandl screen`: embeddings.parquet and wells.csv.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the results; it may be the same folder.")],
    analysis: AnalysisOptions,
) -> None:
    """Analyse a screen again with other parameters, without images or model.

    Writes the same files as `gandl screen`. An option that is not given has its default, not its value in the folder.
    """
    check_output_folder(out)
    screen = read_folder(folder, analysis.read_parameters(), analysis.read_axes())
    analysed = pipeline.analyse(screen)
    write_files(analysed, screen.profiles, out)
    print_notes(analysed.analysis.notes)
    print_screen(analysed.analysis)
    typer.echo(f"{out / 'report.html'}")
