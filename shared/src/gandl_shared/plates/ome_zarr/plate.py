"""A plate in OME-Zarr: its wells and fields of view, by the metadata of the plate and of each well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gandl_shared.errors import InvalidImage
from gandl_shared.files.keys import KeyedFiles
from gandl_shared.plates.ome_zarr.groups import Group, check_version, entry, objects, read_group
from gandl_shared.plates.well_names import row_letters, standard_well_name

_READERS = 16


@dataclass(frozen=True, kw_only=True)
class PlateField:
    """A field of view: its well, its number within the acquisition from 1 on, and the path of its image.

    `acquisition` is empty where the plate has only one.
    """

    well: str
    site: str
    acquisition: str
    path: str


@dataclass(frozen=True, kw_only=True)
class PlateMetadata:
    """The name of a plate, None if it has none, and its fields."""

    name: str | None
    fields: tuple[PlateField, ...]


def read_plate(files: KeyedFiles) -> PlateMetadata | None:
    """Return the plate at the root, or None if the root is no plate.

    Raises InvalidImage for metadata of another version, which contradict themselves, name something outside, or name a
    well that is not there.
    """
    group = read_group(files, "")
    if group is None or "plate" not in group.attributes:
        return None
    plate = entry(group.attributes, "plate", dict, files.label)
    check_version(group, plate, files.label)
    wells = [_well(well, plate, group, files.label) for well in objects(plate, "wells", files.label)]
    double = [name for name, count in Counter(name for name, _ in wells).items() if count > 1]
    if double:
        raise InvalidImage(f"{files.label} has well {double[0]} twice; export the plate again")
    # Reading waits for the disk or the network, so several threads do it.
    with ThreadPoolExecutor(_READERS) as pool:
        parts = list(pool.map(lambda well: _fields(files, *well), wells))
    fields = [field for part in parts for field in part]
    several = len({field.acquisition for field in fields}) > 1
    if not several:
        fields = [PlateField(well=f.well, site=f.site, acquisition="", path=f.path) for f in fields]
    name = plate.get("name")
    return PlateMetadata(name=name if isinstance(name, str) and name.strip() else None, fields=tuple(fields))


def _well(well: Mapping[str, Any], plate: Mapping[str, Any], group: Group, label: str) -> tuple[str, str]:
    """Return the name of a well and the path of its group."""
    path = entry(well, "path", str, f"a well of {label}")
    parts = path.split("/")
    if len(parts) != 2:
        raise InvalidImage(f"a well of {label} has the path '{path[:60]}', which is not row/column")
    for part, axis in zip(parts, ("row", "column"), strict=True):
        index = well.get(f"{axis}Index")
        names = [each.get("name") for each in objects(plate, f"{axis}s", label)]
        if isinstance(index, int) and not (0 <= index < len(names) and names[index] == part):
            raise InvalidImage(f"well '{path}' of {label} has {axis}Index {index}, which is another {axis}")
    return _well_name(parts[0], parts[1], label), group.member(path)


def _well_name(row: str, column: str, label: str) -> str:
    letters = row_letters(int(row)) if row.isdecimal() and 0 < int(row) < 100 else row
    try:
        return standard_well_name(letters + column)
    except ValueError as error:
        raise InvalidImage(f"row '{row[:20]}', column '{column[:20]}' of {label} is no well: {error}") from error


def _fields(files: KeyedFiles, well: str, path: str) -> list[PlateField]:
    group = read_group(files, path)
    where = f"{path} of {files.label}"
    if group is None or "well" not in group.attributes:
        raise InvalidImage(f"{where} is in the plate's list of wells, but there is no well; export the plate again")
    images = objects(entry(group.attributes, "well", dict, where), "images", where)
    return _numbered(well, group, images, where)


def _numbered(well: str, group: Group, images: Sequence[Mapping[str, Any]], where: str) -> list[PlateField]:
    """Number the images of each acquisition, so that the same place has the same number in all of them."""
    numbers: Counter[str] = Counter()
    fields = []
    for image in images:
        acquisition = str(image.get("acquisition", ""))
        numbers[acquisition] += 1
        path = group.member(entry(image, "path", str, where))
        fields.append(PlateField(well=well, site=str(numbers[acquisition]), acquisition=acquisition, path=path))
    return fields
