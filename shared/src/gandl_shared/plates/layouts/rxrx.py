"""Recursion's RxRx data sets: `HRCE-1/Plate1/AA02_s2_w3.png` is channel 3 of site 2 of well AA02 on plate 1 of HRCE-1.

The stains are those of the publisher. Channel 5 is WGA where there are five channels (RxRx19a) and MitoTracker where
there are six (RxRx1), so it has no name in a folder that does not say which of the two it is.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from gandl_shared.errors import BadInput
from gandl_shared.plates.layouts.images import ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.listing import Listing, list_folder
from gandl_shared.plates.map_table.published import rxrx_plate
from gandl_shared.plates.plate_map import PlateMap
from gandl_shared.plates.well import Well
from gandl_shared.plates.well_names import standard_well_name
from gandl_shared.schemas.vocabulary import Role

LAYOUT = "RxRx (Recursion)"
FILE_NAME = re.compile(
    r"(?:^|/)(?P<experiment>[A-Za-z0-9]+-\d+)/Plate(?P<plate>\d+)/"
    r"(?P<well>[A-Z]{1,2}\d{2})_s(?P<site>\d+)_w(?P<channel>\d)\.png$"
)
_STAINS = {"1": "Hoechst", "2": "ConA", "3": "Phalloidin", "4": "Syto14", "5": None, "6": "WGA"}
_FIVE_STAINS = {**_STAINS, "5": "WGA"}
_SIX_STAINS = {**_STAINS, "5": "MitoTracker"}
_CELLS_WITH_FIVE_STAINS = frozenset({"HRCE", "VERO"})


def read_rxrx(listing: Listing) -> Inventory | None:
    """Return the images of RxRx experiments, or None if the folder holds none.

    The folder may be that of all images, of one experiment or of one plate. A plate is named as in the `site_id` of
    the metadata, such as `HRCE-1_1`. Sites without all channels are part of these data sets.
    """
    # The folder of a plate names neither itself nor its experiment in the names of the files below it.
    above = "".join(f"{part}/" for part in listing.root.resolve().parts[-2:] if part != "/")
    matches = [(name, match) for name in listing.images if (match := FILE_NAME.search(above + name)) is not None]
    if not matches:
        return None
    tokens = sorted({match["channel"] for _, match in matches})
    names = _stains(tokens, {match["experiment"] for _, match in matches})
    return Inventory(
        layout=LAYOUT,
        files=tuple(_image_file(name, match) for name, match in matches),
        channels=tuple(ChannelName(token=token, name=names.get(token)) for token in tokens),
        skipped=listing.skipped,
        is_published=True,
    )


def cell_type(experiment: str) -> str:
    """Return the cell type that an experiment is named after: `HUVEC-01` has HUVEC cells."""
    return experiment.rpartition("-")[0]


def plate_map_of_names(images: Path) -> PlateMap:
    """Return the wells that the names of RxRx images tell: plate, well and cell type, and nothing of their content.

    Each well has the role of a treatment without a compound, since no name says that it is a control. Raises BadInput
    for a folder in another layout.
    """
    inventory = read_rxrx(list_folder(images))
    if inventory is None:
        raise BadInput(
            f"there is no plate map: give --platemap, because only names as of RxRx tell the cells; {images} has none. "
            "Where each file shows one cell, give --single-cells to `gandl train`"
        )
    wells = dict.fromkeys((file.plates[0], file.well) for file in inventory.files)
    return PlateMap(
        tuple(
            Well(
                plate=plate,
                well=well,
                role=Role.TREATMENT,
                compound=None,
                concentration_um=None,
                cell_line=cell_type(plate.rpartition("_")[0]),
                table_row=number,
                metadata={"experiment": plate.rpartition("_")[0]},
            )
            for number, (plate, well) in enumerate(wells, start=1)
        ),
        source=f"the names in {images.name}",
        notes=("Plates, wells and cell types were read from the names of the files, which name no compounds",),
        is_published=True,
    )


def _stains(tokens: list[str], experiments: set[str]) -> dict[str, str | None]:
    if "6" in tokens:
        return _SIX_STAINS
    cells = {cell_type(experiment).upper() for experiment in experiments}
    return _FIVE_STAINS if cells <= _CELLS_WITH_FIVE_STAINS else _STAINS


def _image_file(name: str, match: re.Match[str]) -> ImageFile:
    folder = PurePosixPath(name).parent.name
    own = rxrx_plate(match["experiment"], match["plate"])
    return ImageFile(
        name=name,
        plates=(own, folder) if folder else (own,),
        well=standard_well_name(match["well"]),
        site=match["site"],
        channel=match["channel"],
    )
