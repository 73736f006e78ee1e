"""An image in OME-Zarr: its axes, the levels of its pyramid with their pixel sizes, and the names of its channels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gandl_shared.errors import InvalidImage
from gandl_shared.files.keys import KeyedFiles
from gandl_shared.plates.ome_zarr.groups import Group, check_version, entry, objects, read_group

_MICROMETRES = {"nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3, "centimeter": 1e4, "meter": 1e6}
_ORDER = "tczyx"


@dataclass(frozen=True, kw_only=True)
class Level:
    """A level of the pyramid: the path of its array, and the edge of a pixel in µm, None if no unit is stated."""

    path: str
    pixel_size_um: float | None


@dataclass(frozen=True, kw_only=True)
class Multiscale:
    """An image. `axes` are letters of `tczyx` in this order; `channels` are names, None without a name."""

    axes: str
    levels: tuple[Level, ...]
    channels: tuple[str | None, ...]
    zarr_format: int


def read_multiscale(files: KeyedFiles, path: str) -> Multiscale:
    """Return the image at `path`. Raises InvalidImage if there is none, or not exactly one that gandl can read."""
    group = read_group(files, path)
    where = f"{path or 'the root'} of {files.label}"
    if group is None or "multiscales" not in group.attributes:
        raise InvalidImage(f"{where} is no image; export the plate again")
    multiscales = objects(group.attributes, "multiscales", where)
    if len(multiscales) != 1:
        raise InvalidImage(f"{where} has {len(multiscales)} multiscale images; gandl reads one image per field")
    check_version(group, multiscales[0], files.label)
    axes = objects(multiscales[0], "axes", where)
    letters = "".join(entry(axis, "name", str, where) for axis in axes)
    if not letters.endswith("yx") or letters != "".join(axis for axis in _ORDER if axis in letters):
        raise InvalidImage(f"{where} has the axes '{letters[:20]}'; gandl reads t, c, z, y, x in this order")
    return Multiscale(
        axes=letters,
        levels=_levels(multiscales[0], axes, group, where),
        channels=_channels(group, where),
        zarr_format=group.zarr_format,
    )


def _levels(
    multiscale: Mapping[str, Any], axes: Sequence[Mapping[str, Any]], group: Group, where: str
) -> tuple[Level, ...]:
    datasets = objects(multiscale, "datasets", where)
    if not datasets:
        raise InvalidImage(f"{where} has no level; export the plate again")
    whole = _scale(multiscale, len(axes), where)
    levels = []
    for dataset in datasets:
        scale = [a * b for a, b in zip(whole, _scale(dataset, len(axes), where), strict=True)]
        path = group.member(entry(dataset, "path", str, where))
        levels.append(Level(path=path, pixel_size_um=_pixel_size(axes[-1], scale[-1])))
    return tuple(levels)


def _scale(document: Mapping[str, Any], length: int, where: str) -> list[float]:
    scale = [1.0] * length
    for transformation in objects(document, "coordinateTransformations", where, []):
        if transformation.get("type") == "scale" and "scale" in transformation:
            factors = entry(transformation, "scale", list, where)
            if len(factors) != length or not all(isinstance(f, int | float) and 0 < f < math.inf for f in factors):
                raise InvalidImage(f"{where} has the scale {str(factors)[:60]} for {length} axes; export it again")
            scale = [a * b for a, b in zip(scale, factors, strict=True)]
    return scale


def _pixel_size(axis: Mapping[str, Any], scale: float) -> float | None:
    factor = _MICROMETRES.get(str(axis.get("unit")))
    return None if factor is None else scale * factor


def _channels(group: Group, where: str) -> tuple[str | None, ...]:
    omero = entry(group.attributes, "omero", dict, where, {})
    labels = [channel.get("label") for channel in objects(omero, "channels", where, [])]
    return tuple(label if isinstance(label, str) and label.strip() else None for label in labels)
