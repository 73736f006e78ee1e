"""ImageXpress and MetaXpress: names of the database (with a GUID) and of exports (with `.HTD` files).

`P1_A01_s1_w2.TIF` is site 1, channel 2 of well A01. Time points and focal planes are folders, `TimePoint_1/ZStep_2`.
The projection of a stack lies beside its `ZStep_N` folders in the database, and in `ZStep_0` in an export.
"""

from __future__ import annotations

import csv
import re
from pathlib import PurePosixPath

from gandl_shared.files.objects import open_file
from gandl_shared.plates.layouts.images import PROJECTION, ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.listing import Listing
from gandl_shared.plates.well_names import standard_well_name

_GUID = r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"
FILE_NAME = re.compile(
    rf"^(?P<plate>.+?)_(?P<well>[A-Z]{{1,2}}\d{{2}})(?:_s(?P<site>\d+?))?(?:_w(?P<channel>\d+?))?(?P<guid>{_GUID})?\.tiff?$",
    re.IGNORECASE,
)
_STEP_FOLDER = re.compile(r"^(TimePoint|ZStep)_(\d+)$", re.IGNORECASE)
_WAVE = re.compile(r"^WaveName(\d+)$", re.IGNORECASE)
_DATE_FOLDER = re.compile(r"^(\d{4}-\d{2}-\d{2}|\d+)$")


def read_imagexpress(listing: Listing) -> Inventory | None:
    """Return the images of an ImageXpress plate, or None if the folder is none.

    A folder counts as one if it has a sign that other layouts lack: a `.HTD` file, a GUID in the names, or folders
    named `TimePoint_N` or `ZStep_N`.
    """
    matches = {name: match for name in listing.images if (match := FILE_NAME.match(PurePosixPath(name).name))}
    described = [name for name in listing.others if name.lower().endswith(".htd")]
    signed = [name for name, match in matches.items() if match["guid"] or _steps(name)]
    if not matches or not (described or signed):
        return None
    stacks = {_without_step(name) for name in matches if "zstep" in _steps(name)}
    files = tuple(_image_file(name, match, stacks) for name, match in matches.items())
    waves = _wave_names(listing, described)
    tokens = sorted({file.channel for file in files}, key=lambda token: int(token or 0))
    return Inventory(
        layout="ImageXpress (MetaXpress)",
        files=files,
        channels=tuple(ChannelName(token=token, name=waves.get(token or "1")) for token in tokens),
        skipped=listing.skipped,
    )


def _image_file(name: str, match: re.Match[str], stacks: set[str]) -> ImageFile:
    steps = _steps(name)
    plane = str(int(steps["zstep"])) if "zstep" in steps else ""
    # Beside ZStep_1, ZStep_2 … a file without such a folder, or in ZStep_0, is the projection that the instrument made.
    if plane == "0" or (not plane and PurePosixPath(name).parent.as_posix() in stacks):
        plane = PROJECTION
    return ImageFile(
        name=name,
        plates=_plate_names(name, match["plate"]),
        well=standard_well_name(match["well"]),
        site=str(int(match["site"] or 1)),
        channel=str(int(match["channel"])) if match["channel"] else "",
        plane=plane,
        time=str(int(steps["timepoint"])) if "timepoint" in steps else "",
    )


def _steps(name: str) -> dict[str, str]:
    """The numbers of the folders `TimePoint_N` and `ZStep_N` above a file, by their kind in small letters."""
    matches = (_STEP_FOLDER.match(part) for part in PurePosixPath(name).parts[:-1])
    return {match[1].lower(): match[2] for match in matches if match}


def _without_step(name: str) -> str:
    """The folder in which the `ZStep_N` folders of a file are."""
    parts = [part for part in PurePosixPath(name).parts[:-1] if not part.lower().startswith("zstep_")]
    return PurePosixPath(*parts).as_posix()


def _plate_names(name: str, prefix: str) -> tuple[str, ...]:
    """The folders above a file, without steps, dates and numbers of a database, then the prefix of its name."""
    folders = [part for part in PurePosixPath(name).parts[:-1] if not _STEP_FOLDER.match(part)]
    named = [part for part in reversed(folders) if not _DATE_FOLDER.match(part)]
    return tuple(dict.fromkeys((*named, prefix)))


def _wave_names(listing: Listing, described: list[str]) -> dict[str, str]:
    """The names of the channels by their number, from the first `.HTD` file. It is a CSV of keys and values."""
    if not described:
        return {}
    with open_file(listing.root / described[0]) as file:
        text = file.read(2**20).decode("cp1252", errors="replace")
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    pairs = ((_WAVE.match(row[0]), row[1]) for row in rows if len(row) > 1)
    return {match[1]: value for match, value in pairs if match}
