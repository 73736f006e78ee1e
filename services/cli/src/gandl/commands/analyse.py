"""`gandl analyse`: the output folder of `gandl screen` again, with other parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandl.analysis_options import (
    AnalysisOptions,
    AxisOption,
    NormaliseOption,
    ParametersOption,
    PresetOption,
    SeedOption,
    ThresholdsOption,
)


def analyse(
    folder: Annotated[Path, typer.Argument(help="Output folder of `gandl screen`: embeddings.parquet and wells.csv.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the results; may be the same.")],
    preset: PresetOption = None,
    normalise: NormaliseOption = None,
    thresholds: ThresholdsOption = None,
    parameters: ParametersOption = None,
    axis: AxisOption = None,
    seed: SeedOption = None,
) -> None:
    """Analyse a screen again, without images or model.

    Writes the same files as `gandl screen`. What is not said is at its default, not as it was in the folder.
    """
    from gandl_analysis.formats.output_folder import write_files
    from gandl_analysis.formats.reread import read_folder
    from gandl_analysis.pipeline.analyse import analyse as run
    from gandl_analysis.pipeline.axes.stored_axes import read_axis_files
    from gandl_shared.errors import BadInput

    from gandl.summary import print_curves, print_quality

    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; give a folder to write to")
    chosen = AnalysisOptions(preset, normalise, thresholds, seed, parameters).read()
    screen = read_folder(folder, chosen, read_axis_files(axis) if axis else None)
    analysed = run(screen)
    write_files(analysed, screen.profiles, out)
    print_quality(analysed.analysis)
    print_curves(analysed.analysis)
    typer.echo(f"{out / 'report.html'}")
