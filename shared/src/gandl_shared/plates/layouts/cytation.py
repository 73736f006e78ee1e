"""Names that Gen5 gives the images of a Cytation: `A1_02_1_3_DAPI_001.tif`.

They hold the well, the number of the read step, two further numbers, the channel, and the number of the read in time.
Which of the two numbers is the field of view depends on the export: the other one then numbers the channels, or is 1.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from gandl_shared.plates.layouts.images import ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.listing import Listing
from gandl_shared.plates.layouts.names import counts_from_zero
from gandl_shared.plates.well_names import standard_well_name

FILE_NAME = re.compile(
    r"^(?P<well>[A-Z]{1,2}\d{1,2})_(?P<step>-?\d+)_(?P<first>\d+)_(?P<second>\d+)(?:Z(?P<plane>\d+))?_(?P<channel>[^/]+?)"
    r"_(?P<time>\d{3,})(?:\.ome)?\.tiff?$",
    re.IGNORECASE,
)


def read_cytation(listing: Listing) -> Inventory | None:
    """Return the images of a Gen5 export, or None if the folder is none."""
    matches = {name: match for name in listing.images if (match := FILE_NAME.match(PurePosixPath(name).name))}
    if not matches or any(counts_from_zero(match.groupdict()) for match in matches.values()):
        return None
    site = _site_number(list(matches.values()))
    files = tuple(_image_file(name, match, site) for name, match in matches.items())
    return Inventory(
        layout="Cytation (Gen5)",
        files=files,
        channels=tuple(ChannelName(token=token) for token in dict.fromkeys(file.channel for file in files)),
        skipped=listing.skipped,
    )


def _site_number(matches: Sequence[re.Match[str]]) -> str:
    """Return which number is the field of view: the one that does not merely number the channels."""
    return "first" if _numbers_the_channels(matches, "second") else "second"


def _numbers_the_channels(matches: Sequence[re.Match[str]], group: str) -> bool:
    """Return whether each channel has one value of a number, and each another."""
    values: Mapping[str, set[str]] = defaultdict(set)
    for match in matches:
        values[match["channel"]].add(match[group])
    distinct = {value for of_channel in values.values() for value in of_channel}
    return len(values) > 1 and all(len(each) == 1 for each in values.values()) and len(distinct) == len(values)


def _image_file(name: str, match: re.Match[str], site: str) -> ImageFile:
    return ImageFile(
        name=name,
        plates=tuple(reversed(PurePosixPath(name).parts[:-1])),
        named=False,
        well=standard_well_name(match["well"]),
        site=str(int(match[site])),
        channel=match["channel"],
        plane=match["plane"] or "",
        time=str(int(match["time"])),
    )
