"""Images that columns of the plate map name: our own `channel_…`, or CellProfiler's LoadData (`FileName_…`,
`PathName_…`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.files.keys import IMAGE_SUFFIXES
from gandl_shared.files.objects import is_file, is_object, object_below
from gandl_shared.files.references import parse_reference
from gandl_shared.plates.columns import FILE_COLUMN, plain_column
from gandl_shared.plates.layouts.images import ChannelName, ImageFile, Inventory
from gandl_shared.plates.plate_map import PlateMap
from gandl_shared.plates.well import Well

_SITE_COLUMNS = frozenset({"site", "field", "fieldid", "field_id"})
_NUMBERED = re.compile(r"^(?P<number>\d+)(?:_(?P<name>.+))?$")


def file_columns(plate_map: PlateMap) -> list[str]:
    """Return the columns of the plate map that name image files: by their name, and because some cell names an image.

    `file_date` with dates, or `FileName_IllumDNA` with `.npy` files, are no such columns.
    """
    names = dict.fromkeys(name for well in plate_map.wells for name in well.metadata)
    return [name for name in names if FILE_COLUMN.match(name) and _holds_images(plate_map, name)]


def read_file_columns(root: Path, plate_map: PlateMap, columns: Sequence[str]) -> Inventory:
    """Return the images of all wells that are not empty, as the columns name them; `;` separates the sites of a well.

    Raises Invalid with one problem for each well whose channels have different numbers of sites, and each file
    without a name, outside the folder, or not there.
    """
    problems: list[Problem] = []
    files: list[ImageFile] = []
    for well in plate_map.used:
        cells = {c: [name.strip() for name in well.metadata.get(c, "").split(";")] for c in columns}
        if len({len(names) for names in cells.values()}) > 1:
            detail = (
                f"the channels of well {well.well} have different numbers of sites; name as many files in each column"
            )
            problems.append(Problem(detail, file=plate_map.source, row=well.table_row))
            continue
        for column, names in cells.items():
            sites = _site_names(well, len(names))
            folders = _cells(well, _path_column(column), len(names))
            for site, name, folder in zip(sites, names, folders, strict=True):
                file = _file(root, well, folder, name)
                # Of a published data set, everybody has another part.
                if file.reason and not (plate_map.is_published and file.is_absent):
                    problems.append(Problem(file.reason, file=plate_map.source, row=well.table_row, field=column))
                files.append(_image_file(well, column, site, file))
    raise_if(problems, Invalid, f"images of {plate_map.source} cannot be used")
    return Inventory(
        layout="columns of the plate map",
        files=tuple(files),
        channels=tuple(_channel(column) for column in columns),
        is_published=plate_map.is_published,
    )


def inside(root: Path, name: str) -> Path | None:
    """Return the file of a name or reference below `root` with links resolved, or None if that leads out of `root`."""
    file = parse_reference(name).file
    if PurePosixPath(file).is_absolute() or "\0" in file:
        return None
    if is_object(root):
        return object_below(root, file)
    path = (root / file).resolve()
    return path if path.is_relative_to(root.resolve()) else None


def _holds_images(plate_map: PlateMap, column: str) -> bool:
    cells = (name.strip() for well in plate_map.used for name in well.metadata.get(column, "").split(";"))
    # A path in our own columns is meant as an image even without the suffix of one; the reader then says what it is.
    path = "/" if column.lower().startswith("channel_") else "\0"
    return any(name.lower().endswith(IMAGE_SUFFIXES) or path in name for name in cells)


def _channel(column: str) -> ChannelName:
    """The channel of a column. `channel_1_gfp` is channel 1 with the name gfp; `FileName_OrigDNA` is channel DNA."""
    match = FILE_COLUMN.match(column)
    text = match["channel"] if match else column
    numbered = _NUMBERED.match(text)
    return ChannelName(token=column, name=(numbered["name"] or numbered["number"]) if numbered else text)


def channel_number(channel: ChannelName) -> int | None:
    """The number of the channel that a column names, or None if it names none."""
    match = FILE_COLUMN.match(channel.token)
    numbered = _NUMBERED.match(match["channel"]) if match else None
    return int(numbered["number"]) if numbered else None


def _image_file(well: Well, column: str, site: str, file: _NamedFile) -> ImageFile:
    present = file.reason is None
    return ImageFile(name=file.name, plates=(well.plate,), well=well.well, site=site, channel=column, present=present)


def _cells(well: Well, column: str, count: int) -> list[str]:
    """Return the cells of a column for each of `count` sites; one cell counts for all of them."""
    cells = [cell.strip() for cell in well.metadata.get(column, "").split(";")]
    return cells if len(cells) == count else [well.metadata.get(column, "").strip()] * count


def _site_names(well: Well, count: int) -> list[str]:
    """Return the names of the sites of a well: those of a column of sites, if they differ, or else their numbers."""
    column = next((name for name in well.metadata if plain_column(name).lower() in _SITE_COLUMNS), "")
    names = _cells(well, column, count)
    return names if len(set(names)) == count and all(names) else [str(n) for n in range(1, count + 1)]


def _path_column(column: str) -> str:
    return re.sub("^FileName_", "PathName_", column, flags=re.IGNORECASE)


class _NamedFile(NamedTuple):
    """A file's path relative to the root, and what is wrong with it: it is absent, or it cannot be used."""

    name: str
    reason: str | None = None
    is_absent: bool = False


def _file(root: Path, well: Well, folder: str, name: str) -> _NamedFile:
    if not name:
        return _NamedFile(name, f"well {well.well} names no file; fill in the cell, or mark the well as empty")
    candidates = [*_below_path(folder, name), name]
    paths = {candidate: inside(root, candidate) for candidate in candidates}
    present = next((candidate for candidate, path in paths.items() if path is not None and is_file(path)), None)
    if present is not None:
        return _NamedFile(present)
    if paths[name] is None:
        return _NamedFile(name, f"{name} is outside the images folder")
    return _NamedFile(name, f"image {name} of well {well.well} is not there", is_absent=True)


def _below_path(path: str, name: str) -> list[str]:
    """The file below the last folders of LoadData's `PathName_…`, which is a path of the machine that made the
    table."""
    parts = PureWindowsPath(path).parts if "\\" in path else PurePosixPath(path).parts
    folders = [part for part in parts if part not in ("/", "\\", "..") and ":" not in part]
    return ["/".join((*folders[i:], name)) for i in range(len(folders))]
