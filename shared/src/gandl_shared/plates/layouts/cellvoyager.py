"""Yokogawa CellVoyager CV7000 and CV8000: `MeasurementData.mlf`, `MeasurementDetail.mrf`, and the names of its
files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from gandl_shared.plates.layouts.images import ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.index_files import read_xml, resolve_named_file
from gandl_shared.plates.layouts.listing import Listing
from gandl_shared.plates.well_names import standard_well_name, well_name

FILE_NAME = re.compile(
    r"^(?P<plate>.+)_(?P<well>[A-Z]{1,2}\d{2})_T(?P<time>\d{4})F(?P<site>\d{3})L\d{2}A\d{2}Z(?P<plane>\d{2})C(?P<channel>\d{2})\.tiff?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class _Measurement:
    """The names that the plate may have, and the size of a pixel in µm and the dye of each channel."""

    plates: tuple[str, ...]
    pixel_sizes: Mapping[str, float]
    dyes: Mapping[str, str]


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
    present, files, names = set(listing.images), list[ImageFile](), dict[str, str]()
    for index in indexes:
        measurement = _measurement(listing, index)
        names |= measurement.dyes
        for record in read_xml(listing.root / index).iter():
            attributes = {name.rpartition("}")[2]: value for name, value in record.attrib.items()}
            # Records of type ERR have no image: the instrument says there that it could not take one.
            if attributes.get("Type") == "IMG" and (record.text or "").strip():
                name = resolve_named_file(listing.root, index, (record.text or "").strip())
                files.append(replace(_image_file(name, attributes, measurement), present=name in present))
    tokens = sorted({file.channel for file in files}, key=int)
    return Inventory(
        layout="CellVoyager by MeasurementData.mlf",
        files=tuple(files),
        channels=tuple(ChannelName(token=token, name=names.get(token)) for token in tokens),
        skipped=listing.skipped,
    )


def _image_file(name: str, attributes: dict[str, str], measurement: _Measurement) -> ImageFile:
    return ImageFile(
        name=name,
        plates=measurement.plates,
        well=well_name(int(attributes["Row"]), int(attributes["Column"])),
        site=attributes["FieldIndex"],
        channel=attributes["Ch"],
        plane=attributes.get("ZIndex", ""),
        time=attributes.get("TimePoint", ""),
        pixel_size_um=measurement.pixel_sizes.get(attributes["Ch"]),
    )


def _measurement(listing: Listing, index: str) -> _Measurement:
    """Read the files beside an index: the name of the plate (`.wpi`), sizes of pixels (`.mrf`), and dyes (`.mes`)."""
    folder = PurePosixPath(index).parent
    names, sizes, dyes = [folder.name or listing.root.name], dict[str, float](), dict[str, str]()
    for other in listing.others:
        kind = PurePosixPath(other).suffix.lower()
        if PurePosixPath(other).parent != folder or kind not in (".wpi", ".mrf", ".mes"):
            continue
        root = read_xml(listing.root / other)
        if kind == ".wpi":
            names.append(_attribute(root.attrib, "Name"))
        for element in root.iter():
            channel = _attribute(element.attrib, "Ch")
            if size := _attribute(element.attrib, "HorizontalPixelDimension"):
                sizes[channel] = float(size)
            if dye := _attribute(element.attrib, "Fluorophore"):
                dyes[channel] = dye
    plates = tuple(dict.fromkeys(name for name in (*names, folder.parent.name) if name))
    return _Measurement(plates=plates, pixel_sizes=sizes, dyes=dyes)


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
