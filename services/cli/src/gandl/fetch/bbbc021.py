"""BBBC021: MCF-7 cells with 113 compounds, 55 plates (Broad Bioimage Benchmark Collection).

The publisher has one archive per plate, the image table and the mechanisms of action. It gives no sizes in bytes and no
checksums; an archive has about 750 MB.
"""

from __future__ import annotations

import re

from gandl_shared.plates.map_table.published import is_bbbc021

from gandl.fetch.data_set import RemoteFile
from gandl.fetch.parts.collection import Choice, Collection
from gandl.fetch.parts.images import PlateArchivesPart
from gandl.fetch.parts.tables import TablePart

SERVER = "https://data.broadinstitute.org/bbbc/BBBC021"
CELL_TYPE = "MCF7"
HEIGHT, WIDTH = 1024, 1280
_ABOUT_BYTES = 750_000_000

_NUMBERS = {
    "Week1": (22123, 22141, 22161, 22361, 22381, 22401),
    "Week2": (24121, 24141, 24161, 24361, 24381, 24401),
    "Week3": (25421, 25441, 25461, 25681, 25701, 25721),
    "Week4": (27481, 27521, 27542, 27801, 27821, 27861),
    "Week5": (28901, 28921, 28961, 29301, 29321, 29341),
    "Week6": (31641, 31661, 31681, 32061, 32121, 32161),
    "Week7": (34341, 34381, 34641, 34661, 34681),
    "Week8": (38203, 38221, 38241, 38341, 38342),
    "Week9": (39206, 39221, 39222, 39282, 39283, 39301),
    "Week10": (40111, 40115, 40119),
}
PLATES = tuple(f"{week}_{number}" for week, numbers in _NUMBERS.items() for number in numbers)
_IMAGE = re.compile(r"(?:^|/)(?P<plate>Week\d+_\d+)/(?P<name>[^/]+\.tif)$", re.IGNORECASE)


def bbbc021(server: str = SERVER, edges: tuple[int, int] = (HEIGHT, WIDTH)) -> Collection:
    """Return the data set. Other arguments than the defaults are for tests."""
    return Collection(
        name="bbbc021",
        title="BBBC021v1: MCF-7 cells with 113 compounds at eight concentrations, 55 plates, three channels",
        page="https://bbbc.broadinstitute.org/BBBC021",
        licence="CC BY 3.0 (https://creativecommons.org/licenses/by/3.0/)",
        citation=(
            "BBBC021v1 (Caie et al., Molecular Cancer Therapeutics, 2010), from the Broad Bioimage Benchmark "
            "Collection (Ljosa et al., Nature Methods, 2012)"
        ),
        parts=(
            TablePart(
                file=RemoteFile(url=f"{server}/BBBC021_v1_image.csv", size=None),
                member="BBBC021_v1_image.csv",
                has_header=is_bbbc021,
            ),
            TablePart(
                file=RemoteFile(url=f"{server}/BBBC021_v1_moa.csv", size=None),
                member="BBBC021_v1_moa.csv",
                has_header=lambda names: {"compound", "concentration", "moa"} <= {name.lower() for name in names},
            ),
            PlateArchivesPart(
                plates=tuple(
                    (
                        plate,
                        RemoteFile(url=f"{server}/BBBC021_v1_images_{plate}.zip", size=None, about=_ABOUT_BYTES),
                    )
                    for plate in PLATES
                ),
                experiment_of=week_of,
                cell_type=CELL_TYPE,
                place_of=place_of,
                edges=edges,
            ),
        ),
    )


def week_of(plate: str) -> str:
    """Return the experiment of a plate: `Week1_22123` is of `Week1`."""
    return plate.partition("_")[0]


def place_of(path: str, choice: Choice) -> tuple[str, str] | None:
    """Return the plate and the name of an image, None for other files and plates that were not chosen."""
    match = _IMAGE.search(path)
    if match is None or not choice.takes_plate(week_of(match["plate"]), CELL_TYPE):
        return None
    return match["plate"], match["name"]
