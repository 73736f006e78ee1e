"""The part of a published data set that a folder holds: its table lists all wells, and few people have all images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.plate_map import PlateMap
from gandl_shared.plates.well import Well
from gandl_shared.schemas.vocabulary import Role


def wells_with_images(plate_map: PlateMap, files: Iterable[ImageFile]) -> PlateMap:
    """Return the plate map of the plates and wells that have images, with a note on what was left out.

    Raises Invalid where no well has an image, and where a cell line loses all wells of a control: without them the
    screen would have no efficacy axis.
    """
    present = {(plate, file.well) for file in files if file.present for plate in file.plates}
    wells = tuple(well for well in plate_map.wells if (well.plate, well.well) in present)
    source = plate_map.source
    if not wells:
        example = ", ".join(sorted({plate for plate, _ in present})[:3])
        detail = f"none of the images is of a well of {source}; the images are of the plates {example or 'none'}"
        raise Invalid(detail, problems=[Problem(detail, file=source, field="plate")])
    raise_if(_lost_controls(plate_map, wells), Invalid, f"the images of {source} have no controls")
    if len(wells) == len(plate_map.wells):
        return plate_map
    return replace(plate_map, wells=wells, notes=(*plate_map.notes, *_notes(plate_map, wells)))


def _lost_controls(plate_map: PlateMap, wells: Sequence[Well]) -> list[Problem]:
    before, after = ({(well.cell_line, well.role) for well in each} for each in (plate_map.wells, wells))
    cell_lines = dict.fromkeys(well.cell_line for well in wells)
    return [
        Problem(
            f"cell line {line} has images, but none of its {role.value} wells has any; fetch a plate with them",
            file=plate_map.source,
            field="role",
        )
        for line in cell_lines
        for role in (Role.POSITIVE, Role.NEGATIVE)
        if (line, role) in before and (line, role) not in after
    ]


def _notes(plate_map: PlateMap, wells: Sequence[Well]) -> list[str]:
    every, part = (Counter(well.plate for well in each) for each in (plate_map.wells, wells))
    notes = []
    if len(part) < len(every):
        notes.append(
            f"{len(part)} of {len(every)} plates of {plate_map.source} have images here; the others are left out"
        )
    gaps = {plate: every[plate] - count for plate, count in part.items() if every[plate] > count}
    if gaps:
        plate, count = next(iter(gaps.items()))
        more = f" and {len(gaps) - 1} more plates" if len(gaps) > 1 else ""
        every_gap = sum(gaps.values())
        verb = "well has no image and is" if every_gap == 1 else "wells have no image and are"
        notes.append(f"{every_gap} {verb} left out ({count} of plate {plate}{more})")
    return notes
