"""Plates written as OME-Zarr (NGFF 0.4 in Zarr 2, 0.5 in Zarr 3), for napari, MoBIE and other viewers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gandl_shared.imaging.greys import Raw
from gandl_shared.plates.ome_zarr.groups import VERSIONS
from gandl_shared.plates.well_names import parse_well, row_letters

MIN_LEVEL_EDGE = 128
"""The pyramid ends when the shorter edge of a level would be below this many pixels."""
_MAX_CHUNK_EDGE = 1024
_FORMATS = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
"""Rows and columns of plates of 6 to 1536 wells."""
_COLOURS = ("00FF00", "0000FF", "FF0000", "FF00FF", "00FFFF", "FFFF00", "FFFFFF")


@dataclass(frozen=True, kw_only=True)
class PlateDescription:
    """What is written besides pixels.

    `wells` gives the number of fields of each well; `notes` further values of a well, as JSON; `windows` the low and
    high intensity of each channel between which a viewer shows it.
    """

    name: str
    channels: tuple[str, ...]
    windows: tuple[tuple[float, float], ...]
    wells: Mapping[str, int]
    pixel_size_um: float | None = None
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class PlateWriter:
    """Writes a plate into an empty folder: its groups when it is made, and then one field after the other."""

    def __init__(self, folder: Path, description: PlateDescription, *, zarr_format: int) -> None:
        self._folder, self._description, self._format = folder, description, zarr_format
        rows, columns = _size(description.wells)
        self._paths = {well: _path(well) for well in description.wells}
        plate = {
            "name": description.name,
            "rows": [{"name": row_letters(i + 1)} for i in range(rows)],
            "columns": [{"name": str(i + 1)} for i in range(columns)],
            "wells": [_entry(well) for well in description.wells],
            "field_count": max(description.wells.values()),
        }
        self._group("", {"plate": plate})
        for row in dict.fromkeys(path.split("/")[0] for path in self._paths.values()):
            self._group(row, {})
        for well, path in self._paths.items():
            images = [{"path": str(i)} for i in range(description.wells[well])]
            self._group(path, {"well": {"images": images}}, description.notes.get(well))

    def write_field(self, well: str, number: int, pixels: Raw) -> None:
        """Write field `number` (from 1 on) of a well, [C, H, W], with its pyramid."""
        path = f"{self._paths[well]}/{number - 1}"
        levels = pyramid(pixels)
        self._group(path, self._image(levels))
        for i, level in enumerate(levels):
            self._array(f"{path}/{i}", level[None, :, None])

    def _image(self, levels: Sequence[Raw]) -> dict[str, Any]:
        size = self._description.pixel_size_um
        unit = {} if size is None else {"unit": "micrometer"}
        axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}, {"name": "z", "type": "space"}]
        axes += [{"name": axis, "type": "space", **unit} for axis in "yx"]
        scales = [(size or 1.0) * 2.0**i for i in range(len(levels))]
        datasets = [
            {"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 1.0, s, s]}]}
            for i, s in enumerate(scales)
        ]
        multiscale = {"name": self._description.name, "axes": axes, "datasets": datasets, "type": "mean"}
        return {"multiscales": [multiscale], "omero": {"channels": self._channels(levels[0].dtype)}}

    def _channels(self, dtype: np.dtype[Any]) -> list[dict[str, Any]]:
        largest = float(np.iinfo(dtype).max) if dtype.kind == "u" else 0.0
        named = zip(self._description.channels, self._description.windows, strict=True)
        return [
            {
                "label": name,
                "color": _COLOURS[i % len(_COLOURS)],
                "active": True,
                "window": {"start": low, "end": high, "min": min(0.0, low), "max": max(largest, high)},
            }
            for i, (name, (low, high)) in enumerate(named)
        ]

    def _group(self, path: str, attributes: dict[str, Any], notes: Mapping[str, Any] | None = None) -> None:
        folder = self._folder / path
        folder.mkdir(parents=True, exist_ok=True)
        version = VERSIONS[self._format]
        others = {} if notes is None else {"gandl": dict(notes)}
        if self._format == 3:
            ome = {"ome": {"version": version, **attributes}} if attributes else {}
            _write_json(folder / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": ome | others})
            return
        # Version 0.4 states the version inside each of its objects.
        for value in attributes.values():
            for each in value if isinstance(value, list) else [value]:
                each["version"] = version
        _write_json(folder / ".zgroup", {"zarr_format": 2})
        _write_json(folder / ".zattrs", attributes | others)

    def _array(self, path: str, pixels: Raw) -> None:
        # zarr takes half a second to import, which nobody should pay who writes no plate.
        import zarr  # noqa: PLC0415

        encoding: Any = {"name": "v2" if self._format == 2 else "default", "separator": "/"}
        array = zarr.create_array(
            store=str(self._folder / path),
            shape=pixels.shape,
            dtype=pixels.dtype,
            chunks=(1, 1, 1, *(min(edge, _MAX_CHUNK_EDGE) for edge in pixels.shape[-2:])),
            fill_value=0,
            zarr_format=3 if self._format == 3 else 2,
            chunk_key_encoding=encoding,
            dimension_names=list("tczyx") if self._format == 3 else None,
            # A chunk that is left out because it is empty looks like one that was lost.
            config={"write_empty_chunks": True},
        )
        array[...] = pixels


def pyramid(pixels: Raw) -> list[Raw]:
    """Return an image [C, H, W] and its means over 2 × 2, 4 × 4 … pixels, of the same type."""
    levels = [pixels]
    means = pixels.astype(np.float64)
    while min(means.shape[1:]) // 2 >= MIN_LEVEL_EDGE:
        height, width = (edge // 2 for edge in means.shape[1:])
        means = means[:, : 2 * height, : 2 * width].reshape(-1, height, 2, width, 2).mean(axis=(2, 4))
        levels.append((np.rint(means) if pixels.dtype.kind == "u" else means).astype(pixels.dtype))
    return levels


def _size(wells: Mapping[str, int]) -> tuple[int, int]:
    """Return rows and columns of the smallest plate with these wells."""
    rows, columns = (max(numbers) for numbers in zip(*map(parse_well, wells), strict=True))
    return next(((r, c) for r, c in _FORMATS if rows <= r and columns <= c), (rows, columns))


def _path(well: str) -> str:
    row, column = parse_well(well)
    return f"{row_letters(row)}/{column}"


def _entry(well: str) -> dict[str, Any]:
    row, column = parse_well(well)
    return {"path": _path(well), "rowIndex": row - 1, "columnIndex": column - 1}


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
