"""Yokogawa CellVoyager CV7000 and CV8000: `MeasurementData.mlf`, `MeasurementDetail.mrf`, and the names of its
files."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from gandl_shared.plates.layouts.images import ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.index_files import read_xml, resolve_named_file
from gandl_shared.plates.layouts.listing import Listing
from gandl_shared.plates.well_names import standard_well_name, well_name

FILE_NAME = re.compile(
    r"^(?P<plate>.+)_(?P<well>[A-Z]{1,2}\d{2})_T(?P<time>\d{4})F(?P<site>\d{3})L\d{2}A\d{2}Z(?P<plane>\d{2})C(?P<channel>\d{2})\.tiff?$",
    re.IGNORECASE,
)


def read_cellvoyager(listing: Listing) -> Inventory | None:
    """Return the images of a CellVoyager measurement, by its `.mlf` where there is one, else by the names of its files.

    Returns None if the folder is no such measurement. Raises Invalid for an index that is no XML or names a file
    outside the images folder.
    """
    indexes = [name for name in listing.others if PurePosixPath(name).name.lower() == "measurementdata.mlf"]
    if indexes:
        return _by_indexes(listing, indexes)
    files = tuple(image for name in listing.images if (image := _by_name(name)) is not None)
    return Inventory(layout="CellVoyager by file names", files=files, skipped=listing.skipped) if files else None


def _by_indexes(listing: Listing, indexes: list[str]) -> Inventory:
    present, files, missing = set(listing.images), list[ImageFile](), list[str]()
    sizes: set[float] = set()
    for index in indexes:
        plates, pixel_sizes = _plate(listing, index)
        sizes |= pixel_sizes
        for record in read_xml(listing.root / index).iter():
            attributes = {name.rpartition("}")[2]: value for name, value in record.attrib.items()}
            # Records of type ERR have no image: the instrument says there that it could not take one.
            if attributes.get("Type") != "IMG" or not (record.text or "").strip():
                continue
            name = resolve_named_file(listing.root, index, (record.text or "").strip())
            if name not in present:
                missing.append(name)
                continue
            files.append(_image_file(name, attributes, plates))
    tokens = sorted({file.channel for file in files}, key=int)
    return Inventory(
        layout="CellVoyager by MeasurementData.mlf",
        files=tuple(files),
        channels=tuple(ChannelName(token=token) for token in tokens),
        pixel_size_um=sizes.pop() if len(sizes) == 1 else None,
        missing=tuple(missing),
        skipped=listing.skipped,
    )


def _image_file(name: str, attributes: dict[str, str], plates: tuple[str, ...]) -> ImageFile:
    return ImageFile(
        name=name,
        plates=plates,
        well=well_name(int(attributes["Row"]), int(attributes["Column"])),
        site=attributes["FieldIndex"],
        channel=attributes["Ch"],
        plane=attributes.get("ZIndex", ""),
        time=attributes.get("TimePoint", ""),
    )


def _plate(listing: Listing, index: str) -> tuple[tuple[str, ...], set[float]]:
    """The names that the plate may have (of its `.wpi` and its folders), and the sizes of a pixel in µm."""
    folder = PurePosixPath(index).parent
    names, sizes = [folder.name or listing.root.name], set[float]()
    for other in listing.others:
        if PurePosixPath(other).parent != folder:
            continue
        if other.lower().endswith(".wpi"):
            names.append(_attribute(read_xml(listing.root / other).attrib, "Name"))
        if other.lower().endswith(".mrf"):
            for element in read_xml(listing.root / other).iter():
                size = _attribute(element.attrib, "HorizontalPixelDimension")
                sizes |= {float(size)} if size else set()
    return tuple(dict.fromkeys(name for name in (*names, folder.parent.name) if name)), sizes


def _attribute(attributes: dict[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if key.rpartition("}")[2] == name), "")


def _by_name(name: str) -> ImageFile | None:
    path = PurePosixPath(name)
    match = FILE_NAME.match(path.name)
    if match is None:
        return None
    return ImageFile(
        name=name,
        plates=tuple(dict.fromkeys(plate for plate in (path.parent.name, match["plate"]) if plate)),
        well=standard_well_name(match["well"]),
        site=str(int(match["site"])),
        channel=str(int(match["channel"])),
        plane=str(int(match["plane"])),
        time=str(int(match["time"])),
    )
