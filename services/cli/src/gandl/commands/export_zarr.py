"""`gandl export-zarr`: the images of a plate, with the scores of a screen, as OME-Zarr."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from gandl.screening.image_options import ImageOptions, with_image_options
from gandl.screening.plate_export import PlateExport, plan_export, write_plates


class Version(StrEnum):
    """The version of OME-Zarr."""

    V04 = "0.4"
    V05 = "0.5"


@with_image_options
def export_zarr(
    images: Annotated[Path, typer.Argument(help="Folder of the images, or an archive or URL of OME-Zarr.")],
    out: Annotated[Path, typer.Argument(help="Plate to write, such as P1.zarr, or a folder for several plates.")],
    platemap: Annotated[Path, typer.Option(help="Plate map (CSV) with one row per well.")],
    *,
    scores: Annotated[
        Path | None, typer.Option(help="Output folder of `gandl screen`, whose scores are written beside the images.")
    ] = None,
    version: Annotated[Version, typer.Option(help="Version of OME-Zarr: 0.4 (Zarr 2) or 0.5 (Zarr 3).")] = Version.V04,
    names: Annotated[str | None, typer.Option(help="Names of the channels in their order, such as GFP,DNA.")] = None,
    pixel_size_um: Annotated[
        float | None, typer.Option(min=0.0, help="Edge of a pixel in µm; from the images if absent.")
    ] = None,
    image: ImageOptions,
) -> None:
    """Write the images of a plate as OME-Zarr, with the scores of a screen, for napari and MoBIE.

    Each field becomes an image with a pyramid, the channels get names and a range of intensities, and each well the
    values of the plate map and its scores. Nothing is left under the final name if an error stops the export.
    """
    export = PlateExport(
        images=images,
        plate_map=platemap,
        out=out,
        scores=scores,
        version=version.value,
        pattern=image.pattern,
        channels=image.channel_list,
        choice=image.choice,
        names=tuple(name.strip() for name in names.split(",")) if names else None,
        pixel_size_um=pixel_size_um,
    )
    plates = plan_export(export)
    count = sum(len(plate.sites) for plate in plates)
    console = Console(stderr=True)
    for _ in track(write_plates(export, plates), "writing", total=count, console=console, transient=True):
        pass
    typer.echo(f"{out}: {count} fields of {len(plates)} plates as OME-Zarr {version.value}")
