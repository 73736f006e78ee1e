"""The size of a pixel in the images of a screen: one for all wells, because a model knows cells of one size only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.selection.choice import FieldChannel

_MAX_RELATIVE_DIFFERENCE = 0.01
"""Indexes round the size of a pixel; another objective or binning changes it by far more."""


def check_pixel_sizes(files: Mapping[FieldChannel, Sequence[ImageFile]]) -> float | None:
    """Return the edge of a pixel in µm that most images have, or None where nothing says it.

    Raises Invalid with one problem for each well whose images have another one.
    """
    wells: dict[tuple[str, str], set[float]] = {}
    counts = Counter[float]()
    for (plate, well, _, _), stack in files.items():
        for file in stack:
            if file.pixel_size_um is not None:
                counts[file.pixel_size_um] += 1
                wells.setdefault((plate, well), set()).add(file.pixel_size_um)
    if not counts:
        return None
    usual = counts.most_common(1)[0][0]
    problems = [
        Problem(
            f"well {well} of plate {plate} has pixels of {odd[0]:.4g} µm, the others of {usual:.4g} µm; mark the well "
            "as empty, or image it again with the same objective and binning",
            field="well",
        )
        for (plate, well), sizes in wells.items()
        if (odd := sorted(size for size in sizes if abs(size - usual) > _MAX_RELATIVE_DIFFERENCE * usual))
    ]
    raise_if(problems, Invalid, "the pixels of some wells have another size")
    return usual
