"""The level of a pyramid that a model reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from gandl_shared.files.keys import open_keys
from gandl_shared.files.references import ImageReference, parse_reference
from gandl_shared.imaging.ome_zarr.planes import is_plane
from gandl_shared.plates import Site
from gandl_shared.plates.layouts.ome_zarr import FIELD, LEVEL, field_path
from gandl_shared.plates.ome_zarr import Level, read_multiscale


def with_levels(sites: Sequence[Site], pixel_size_um: float | None) -> tuple[Site, ...]:
    """Return the sites with the level of each OME-Zarr image whose pixels are nearest in size to `pixel_size_um`.

    That is the edge of a pixel of the model's own images before they are averaged down. Level 0 is taken where the
    model or the image states no size, and where two levels are equally near. Other sites are returned as they are.
    """
    if pixel_size_um is None:
        return tuple(sites)
    numbers: dict[str, int] = {}
    return tuple(_with_level(site, pixel_size_um, numbers) for site in sites)


def _with_level(site: Site, pixel_size_um: float, numbers: dict[str, int]) -> Site:
    references = [parse_reference(name) for name in site.names]
    if not all(map(is_plane, references)):
        return site
    names = []
    for reference in references:
        image = f"{reference.file}#{reference.parts[FIELD]}"
        if image not in numbers:
            files = open_keys(site.root / reference.file)
            levels = read_multiscale(files, field_path(reference.parts[FIELD])).levels
            numbers[image] = nearest_level(levels, pixel_size_um)
        level = {LEVEL: str(numbers[image])} if numbers[image] else {}
        names.append(str(ImageReference(file=reference.file, parts={**reference.parts, **level})))
    return replace(site, names=tuple(names))


def nearest_level(levels: Sequence[Level], pixel_size_um: float) -> int:
    """Return the number of the level whose pixels are nearest to a size, by the ratio of the two."""
    sizes = [level.pixel_size_um for level in levels]
    if sizes[0] is None:
        return 0
    # A ratio of 2 and one of 1/2 are equally far, hence the logarithm.
    distances = [math.inf if size is None else abs(math.log(size / pixel_size_um)) for size in sizes]
    return min(range(len(levels)), key=lambda number: (round(distances[number], 6), number))
