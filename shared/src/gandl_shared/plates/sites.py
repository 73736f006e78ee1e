"""The image files of each well: by columns of the plate map that name them, or by a pattern of the file names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.plates.patterns import PATTERNS, FilesByField, channel_tokens, list_images, match_files, pattern_of
from gandl_shared.plates.plate_map import PlateMap, Well

_FILE_COLUMN = re.compile(r"^(channel_|FileName_|file_)", re.IGNORECASE)


class SiteId(NamedTuple):
    """Which field of view: the names of plate, well and site."""

    plate: str
    well: str
    site: str


WellKey = tuple[str, str]  # plate and well
SiteFiles = Mapping[WellKey, Mapping[str, Mapping[str, str]]]  # well → site → channel token → file


@dataclass(frozen=True, kw_only=True)
class Site:
    """One field of view of a well: its files in channel order, relative to `root`."""

    plate: str
    well: str
    site: str
    root: Path
    names: tuple[str, ...]

    @property
    def id(self) -> SiteId:
        """Plate, well and site."""
        return SiteId(self.plate, self.well, self.site)

    @property
    def files(self) -> tuple[Path, ...]:
        """The paths of the files, in channel order."""
        return tuple(self.root / name for name in self.names)


def find_sites(
    images: Path, plate_map: PlateMap, pattern: str | None = None, *, channels: Sequence[str] | None = None
) -> tuple[Site, ...]:
    """Return all sites of all wells that are not empty, in the order of the plate map.

    `pattern` is the name of a preset or a pattern. Without one, columns of the plate map that name files (`channel_…`,
    `FileName_…`, `file_…`; several sites of a well separated by `;`) are used, or else the preset that fits most wells.
    `channels` selects and orders the channels by their token in the pattern or the name of their column.

    Raises NotFound (no folder), BadInput (no image in it, no pattern fits), or Invalid with one problem for every well
    without images and every file that is missing or outside the folder.
    """
    root = _folder(images)
    columns = _file_columns(plate_map) if pattern is None else []
    if columns:
        return _sites_by_columns(root, plate_map, _select(columns, channels))
    names = list_images(root)
    chosen_pattern = pattern_of(pattern) if pattern else _best_preset(names, plate_map, images)
    return _sites_by_pattern(root, plate_map, chosen_pattern, match_files(names, chosen_pattern), channels)


def inside(root: Path, name: str) -> Path | None:
    """Return `root / name` with links resolved, or None if that leads out of `root`."""
    if PurePosixPath(name).is_absolute() or "\0" in name:
        return None
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) else None


def _folder(images: Path) -> Path:
    if not images.exists():
        raise NotFound(f"folder {images} is not there")
    if not images.is_dir():
        raise BadInput(f"{images} is not a folder; give the folder of the images")
    return images


def _select(channels: Sequence[str], selection: Sequence[str] | None) -> list[str]:
    if selection is None:
        return list(channels)
    missing = [c for c in selection if c not in channels]
    if missing:
        raise BadInput(f"channel '{missing[0]}' is not among {', '.join(channels)}")
    return list(selection)


def _file_columns(plate_map: PlateMap) -> list[str]:
    names = dict.fromkeys(name for well in plate_map.wells for name in well.metadata)
    return [name for name in names if _FILE_COLUMN.match(name)]


def _sites_by_columns(root: Path, plate_map: PlateMap, columns: Sequence[str]) -> tuple[Site, ...]:
    problems: list[Problem] = []
    sites: list[Site] = []
    for well in plate_map.used:
        cells = [[name.strip() for name in well.metadata.get(c, "").split(";")] for c in columns]
        if len({len(names) for names in cells}) > 1:
            detail = "the channels have different numbers of sites"
            problems.append(Problem(detail, file=plate_map.source, row=well.table_row))
            continue
        for i, names in enumerate(zip(*cells, strict=True), start=1):
            problems += _missing_files(root, plate_map.source, well, zip(columns, names, strict=True))
            sites.append(Site(plate=well.plate, well=well.well, site=str(i), root=root, names=names))
    raise_if(problems, Invalid, f"images of {plate_map.source} cannot be used")
    return tuple(sites)


def _missing_files(root: Path, source: str, well: Well, cells: Iterable[tuple[str, str]]) -> list[Problem]:
    problems = []
    for column, name in cells:
        path = inside(root, name) if name else None
        detail = None
        if not name:
            detail = "no file name"
        elif path is None:
            detail = f"{name} is outside the images folder"
        elif not path.is_file():
            detail = f"image {name} of well {well.well} is not there"
        if detail:
            problems.append(Problem(detail, file=source, row=well.table_row, field=column))
    return problems


def _best_preset(names: Sequence[str], plate_map: PlateMap, images: Path) -> str:
    # A wrong preset can fit the names and give other wells, so only wells of the plate map count.
    wells = {(well.plate, well.well) for well in plate_map.used}
    counts = {p: len(wells & _by_well(match_files(names, p), p, plate_map).keys()) for p in PATTERNS.values()}
    best = max(counts, key=lambda p: counts[p])
    if counts[best] == 0:
        detail = f"no file name pattern fits the {len(names)} images in {images}, such as {names[0]}"
        raise BadInput(f"{detail}; give --pattern, or one of {', '.join(PATTERNS)}")
    return best


def _by_well(fields: FilesByField, pattern: str, plate_map: PlateMap) -> SiteFiles:
    """Group the files by the wells of the plate map. Raises BadInput where the plate of a file is not known."""
    # The file names of a screen with one plate often do not contain the name of the plate.
    only_plate = plate_map.plates[0] if len(plate_map.plates) == 1 else None
    wells: dict[WellKey, dict[str, Mapping[str, str]]] = defaultdict(dict)
    for field, files in fields.items():
        plate = field.plate or only_plate
        if plate is None:
            raise BadInput(f"pattern '{pattern}' has no {{plate}} but the plate map has {len(plate_map.plates)} plates")
        wells[plate, field.well][field.site] = files
    return wells


def _sites_by_pattern(
    root: Path, plate_map: PlateMap, pattern: str, fields: FilesByField, channels: Sequence[str] | None
) -> tuple[Site, ...]:
    wells = _by_well(fields, pattern, plate_map)
    tokens = _select(channel_tokens(fields), channels)
    problems: list[Problem] = []
    sites: list[Site] = []
    for well in plate_map.used:
        files = wells.get((well.plate, well.well))
        if not files:
            detail = f"no image of well {well.well} of plate {well.plate} fits '{pattern}'"
            problems.append(Problem(detail, file=plate_map.source, row=well.table_row, field="well"))
            continue
        # Sites are ordered by number, because by the alphabet site 10 would come before site 9.
        for site in sorted(files, key=lambda name: (int(name), name)):
            site_problems = _site_problems(root, well, site, files[site], tokens)
            problems += site_problems
            if not site_problems:
                names = tuple(files[site][token] for token in tokens)
                sites.append(Site(plate=well.plate, well=well.well, site=site, root=root, names=names))
    raise_if(problems, Invalid, f"images of {plate_map.source} cannot be used")
    return tuple(sites)


def _site_problems(root: Path, well: Well, site: str, files: Mapping[str, str], tokens: Sequence[str]) -> list[Problem]:
    absent = [token for token in tokens if token not in files]
    if absent:
        detail = f"site {site} of well {well.well} of plate {well.plate} lacks channel {', '.join(absent)}"
        return [Problem(detail, file=next(iter(files.values())), field="channel")]
    names = [files[token] for token in tokens]
    return [
        Problem(f"{name} is a link out of the images folder", file=name) for name in names if inside(root, name) is None
    ]
