"""A small plate in OME-Zarr, as gandl writes it, and changes of its metadata."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gandl_shared.imaging.ome_zarr.writer import PlateDescription, PlateWriter
from gandl_shared.plates import PlateMap, read_plate_map

WELLS = ("A01", "A02", "B03")
FIELDS = np.random.default_rng(0).integers(0, 4000, (len(WELLS), 2, 2, 300, 260), dtype=np.uint16)
"""Two fields of two channels in each well: [well, field, channel, height, width]."""
CHANNELS = ("GFP", "DNA")


def write_plate(folder: Path, zarr_format: int, *, name: str = "P1", pixel_size_um: float | None = 0.5) -> Path:
    """Write the plate into a new folder."""
    folder.mkdir(parents=True)
    description = PlateDescription(
        name=name,
        channels=CHANNELS,
        windows=((0.0, 4000.0), (10.0, 3000.0)),
        wells=dict.fromkeys(WELLS, 2),
        pixel_size_um=pixel_size_um,
        notes={"A01": {"role": "positive_control"}},
    )
    writer = PlateWriter(folder, description, zarr_format=zarr_format)
    for well, fields in zip(WELLS, FIELDS, strict=True):
        for number, field in enumerate(fields, start=1):
            writer.write_field(well, number, field)
    return folder


def plate_map(folder: Path, plate: str = "P1") -> PlateMap:
    """Return a plate map of the wells: controls of each kind, and one treatment."""
    rows = (("positive_control", ""), ("negative_control", ""), ("treatment", "CmpA"))
    lines = [
        f"{plate},{well},{role},{compound},{'1' if compound else ''}"
        for well, (role, compound) in zip(WELLS, rows, strict=True)
    ]
    path = folder / "platemap.csv"
    path.write_text("\n".join(["plate,well,role,compound,concentration_um", *lines]), encoding="utf-8")
    return read_plate_map(path, controls=False)


def change(path: Path, edit: Callable[[Any], object]) -> None:
    """Change a JSON file."""
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
