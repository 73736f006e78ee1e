"""`gandl screen`: a folder of plate images → embeddings, efficacies, curves, quality and a report."""

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


def screen(
    images: Annotated[Path, typer.Argument(help="Folder of the images.")],
    platemap: Annotated[Path, typer.Option(help="CSV, one row a well.")],
    model: Annotated[Path, typer.Option(help="ONNX featurizer made by `gandl export`, or a released one.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    pattern: Annotated[str | None, typer.Option(help="File name pattern, or a preset's name.")] = None,
    channels: Annotated[str | None, typer.Option(help="Channels to use, in the model's order: 1,2,4")] = None,
    limits: Annotated[str, typer.Option(help="Intensity limits: `plate` (its percentiles) or `card`.")] = "plate",
    name: Annotated[str | None, typer.Option(help="Name of the screen; the output folder's if absent.")] = None,
    preset: PresetOption = None,
    normalise: NormaliseOption = None,
    thresholds: ThresholdsOption = None,
    parameters: ParametersOption = None,
    axis: AxisOption = None,
    seed: SeedOption = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the embedding; all cores if absent.")] = None,
) -> None:
    """Screen a folder of plate images, without a server.

    Writes embeddings.parquet, wells.csv, sites.csv, dose_response.csv, quality.json, report.html and the fitted axes.
    """
    from gandl_analysis.pipeline.axes.stored_axes import read_axis_files
    from gandl_embedding.engine import Engine
    from gandl_shared.errors import BadInput
    from gandl_shared.schemas.screen import ScreenRequest

    from gandl.progress import ScreenBar
    from gandl.screening import ScreenJob, run
    from gandl.summary import print_curves, print_quality

    if limits not in ("plate", "card"):
        raise BadInput(f"--limits {limits} is unknown; use plate or card")
    request = ScreenRequest(
        name=name or out.resolve().name,
        images=str(images),
        plate_map=str(platemap),
        pattern=pattern,
        channels=tuple(channels.split(",")) if channels else None,
        limits="plate" if limits == "plate" else "card",
        analysis=AnalysisOptions(preset, normalise, thresholds, seed, parameters).read(),
    )
    earlier = read_axis_files(axis) if axis else None
    engine = Engine.load(model, threads=threads)
    with ScreenBar() as bar:
        job = ScreenJob(request, images, platemap, out, earlier)
        analysis = run(job, engine, on_progress=bar.progress, on_step=bar.step)
    print_quality(analysis)
    print_curves(analysis)
    typer.echo(f"{out / 'report.html'}")
