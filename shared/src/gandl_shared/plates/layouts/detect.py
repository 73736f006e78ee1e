"""Which layout a folder has: the first reader that recognises it, indexes before names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from gandl_shared.errors import BadInput
from gandl_shared.plates.layouts.cellvoyager import read_cellvoyager
from gandl_shared.plates.layouts.cytation import read_cytation
from gandl_shared.plates.layouts.harmony import read_harmony
from gandl_shared.plates.layouts.images import ImageFile, Inventory
from gandl_shared.plates.layouts.imagexpress import read_imagexpress
from gandl_shared.plates.layouts.listing import Listing
from gandl_shared.plates.layouts.names import match_images
from gandl_shared.plates.layouts.ome_zarr import read_ome_zarr
from gandl_shared.plates.layouts.rxrx import read_rxrx
from gandl_shared.plates.patterns import PATTERNS

_READERS = (read_ome_zarr, read_harmony, read_cellvoyager, read_imagexpress, read_cytation, read_rxrx)
_NUMBERED_WELLS = re.compile(r"--W\d+--P\d+|(^|[/_])W\d{4,}[_.]", re.IGNORECASE)
_ZERO_BASED = re.compile(r"row_?0*\d+.*col(umn)?_?0*\d+", re.IGNORECASE)


def read_inventory(listing: Listing, *, pattern: str | None = None, wells: Collection[str] = ()) -> Inventory:
    """Return the images of a folder by `pattern`, or by the layout that the folder has.

    Without a pattern and without an index or names of an instrument, the preset of PATTERNS is taken that fits most of
    `wells` (of all files where the plate map names no well). Files that do not fit are counted as skipped. Raises
    BadInput if nothing fits.
    """
    if pattern is None:
        for read in _READERS:
            inventory = read(listing)
            if inventory is not None:
                return _with_unmatched(listing, inventory)
    if not listing.images:
        detail = f"{listing.root} holds no plate: there is no TIFF or PNG, and no OME-Zarr or archive in it is a plate"
        raise BadInput(f"{detail}; give the folder of a plate")
    if pattern is not None:
        return _by_pattern(listing, pattern, f"pattern {pattern}")
    return _best_preset(listing, frozenset(wells))


def _best_preset(listing: Listing, wells: frozenset[str]) -> Inventory:
    inventories = {name: _fitting(listing, pattern) for name, pattern in PATTERNS.items()}
    counts = {name: _fit(files, wells) for name, files in inventories.items()}
    best = max(counts, key=lambda name: counts[name])
    if counts[best] == (0, 0):
        example = listing.images[0]
        detail = f"no layout fits the {len(listing.images)} images in {listing.root}, such as {example}"
        raise BadInput(f"{detail}; {_advice(example)}")
    inventory = Inventory(layout=f"names as of preset {best}", files=inventories[best], skipped=listing.skipped)
    return _with_unmatched(listing, inventory)


def _fitting(listing: Listing, pattern: str) -> tuple[ImageFile, ...]:
    try:
        return match_images(listing.images, pattern)
    except BadInput:  # the names count from 0, so that this preset would take each well for its neighbour
        return ()


def _advice(example: str) -> str:
    """Say which pattern may read names that no preset fits."""
    if _NUMBERED_WELLS.search(example):
        pattern = "{any}--W{number96}--P{site}--Z{plane}--T{time}--{channel}.tif"
        return f"the names number the wells; give the format of the plate in --pattern, such as {pattern}"
    if _ZERO_BASED.search(example):
        pattern = "Row{row0}_Col{column0}_s{site}_w{channel}.tif"
        return f"the names count rows and columns from 0; give --pattern, such as {pattern}"
    return f"give --pattern, such as one of {', '.join(PATTERNS)}"


def _fit(files: tuple[ImageFile, ...], wells: frozenset[str]) -> tuple[int, int]:
    """How well a preset fits: the wells of the plate map that it finds, then the number of files."""
    in_files = {file.well for file in files}
    return (len(in_files & wells) if wells else len(in_files)), len(files)


def _by_pattern(listing: Listing, pattern: str, layout: str) -> Inventory:
    files = match_images(listing.images, PATTERNS.get(pattern, pattern))
    if not files:
        example = listing.images[0]
        raise BadInput(
            f"no image in {listing.root} fits {layout}, such as {example}; see --pattern in `gandl screen --help`"
        )
    return _with_unmatched(listing, Inventory(layout=layout, files=files, skipped=listing.skipped))


def _with_unmatched(listing: Listing, inventory: Inventory) -> Inventory:
    """Count the images that the layout does not name, by the folder that most of them are in."""
    unmatched = len(set(listing.images) - {file.name for file in inventory.files})
    if not unmatched:
        return inventory
    skipped: Mapping[str, int] = {**inventory.skipped, "images of another name": unmatched}
    return replace(inventory, skipped=skipped)


def folder_of(file: ImageFile) -> str:
    """The folder of a file, relative to the images folder; `.` for the folder itself."""
    return str(PurePosixPath(file.name).parent)
