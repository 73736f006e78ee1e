"""Harmony exports of Operetta and Opera Phenix: `Images/Index.idx.xml` or `Index.xml`, and the names of its files.

The index names the plate, the channels, the size of a pixel and each image. Versions 5 (`…/HarmonyV5`) and 6
(`…/HarmonyV6`, `…/HarmonyV7`) differ in their name space and in where the channels are described; element names are
the same.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gandl_shared.errors import Invalid, Problem
from gandl_shared.plates.layouts.images import ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.index_files import read_xml, resolve_named_file
from gandl_shared.plates.layouts.listing import Listing
from gandl_shared.plates.well_names import well_name

INDEX_NAMES = ("index.idx.xml", "index.xml")
FILE_NAME = re.compile(
    r"^r(?P<row>\d+)c(?P<column>\d+)f(?P<site>\d+)p(?P<plane>\d+)-ch(?P<channel>\d+)sk(?P<time>\d+)fk\d+(?:fl\d+)?\.tiff?$",
    re.IGNORECASE,
)
_FOLDER = re.compile(r"^(?P<plate>.+?)__.+?-Measurement ?(?P<measurement>\d+)$", re.IGNORECASE)
_METRES_TO_MICROMETRES = 1e6


def read_harmony(listing: Listing) -> Inventory | None:
    """Return the images of a Harmony export, by its indexes where there are any, else by the names of its files.

    Returns None if the folder is no such export. Raises Invalid for an index that is no XML or names a file outside the
    images folder.
    """
    indexes = [name for name in listing.others if PurePosixPath(name).name.lower() in INDEX_NAMES]
    harmony = {name: root for name in indexes if (root := _index_root(listing.root / name)) is not None}
    if harmony:
        return _by_indexes(listing, harmony)
    files = tuple(image for name in listing.images if (image := _by_name(name)) is not None)
    if not files:
        return None
    return Inventory(layout="Harmony (Operetta, Opera Phenix) by file names", files=files, skipped=listing.skipped)


def _index_root(path: Path) -> ET.Element | None:
    root = read_xml(path)
    return root if root.tag.endswith("EvaluationInputData") else None


def _by_indexes(listing: Listing, indexes: Mapping[str, ET.Element]) -> Inventory:
    files: list[ImageFile] = []
    channels: dict[str, str | None] = {}
    present = set(listing.images)
    for index, root in indexes.items():
        plates, measurement = _plate_names(index, root)
        for image in _images(root):
            channels.setdefault(image["ChannelID"], image.get("ChannelName"))
            name = resolve_named_file(listing.root, index, image["URL"])
            files.append(replace(_image_file(name, image, plates, measurement), present=name in present))
    names = _with_described_channels(channels, indexes.values())
    return Inventory(
        layout="Harmony (Operetta, Opera Phenix) by Index.xml",
        files=tuple(files),
        channels=tuple(
            ChannelName(token=token, name=name) for token, name in sorted(names.items(), key=lambda c: int(c[0]))
        ),
        skipped=listing.skipped,
    )


def _image_file(name: str, image: Mapping[str, str], plates: tuple[str, ...], measurement: str) -> ImageFile:
    return ImageFile(
        name=name,
        plates=plates,
        well=well_name(int(image["Row"]), int(image["Col"])),
        site=str(int(image["FieldID"])),
        channel=image["ChannelID"],
        plane=image.get("PlaneID", ""),
        time=image.get("TimepointID", ""),
        measurement=measurement,
        pixel_size_um=float(metres) * _METRES_TO_MICROMETRES if (metres := image.get("ImageResolutionX")) else None,
    )


def _images(root: ET.Element) -> Iterator[dict[str, str]]:
    """Yield the text of each child of an image, by its name without name space. Entries without a file are left out."""
    for element in root.iter():
        if _local(element) == "Image" and len(element):
            image = {_local(child): (child.text or "").strip() for child in element}
            if image.get("URL"):
                yield _complete(image)


def _complete(image: dict[str, str]) -> dict[str, str]:
    absent = [name for name in ("Row", "Col", "FieldID", "ChannelID") if not image.get(name)]
    if absent:
        detail = f"the index says no {absent[0]} for image {image['URL']}; export the plate again"
        raise Invalid(detail, problems=[Problem(detail, file=image["URL"], field=absent[0])])
    return image


def _with_described_channels(channels: dict[str, str | None], roots: Iterable[ET.Element]) -> dict[str, str]:
    """Version 6 describes its channels once, in maps, and not in each image."""
    names = {token: name for token, name in channels.items() if name}
    for root in roots:
        for entry in root.iter():
            token = entry.get("ChannelID") if _local(entry) == "Entry" else None
            if token:
                name = next((child.text for child in entry if _local(child) == "ChannelName"), None)
                if name:
                    names.setdefault(token, name.strip())
    return {token: names.get(token, "") for token in channels}


def _plate_names(index: str, root: ET.Element) -> tuple[tuple[str, ...], str]:
    """The names that the plate may have, and the number of the measurement from the folder's name."""
    named = [element.text or "" for element in root.iter() if _local(element) in ("PlateID", "Name")]
    folders, measurement = folder_names(index)
    return tuple(dict.fromkeys(name.strip() for name in (*folders, *named) if name.strip())), measurement


def folder_names(name: str) -> tuple[tuple[str, ...], str]:
    """The names that the folders above a file of Harmony give to its plate, and the number of the measurement.

    `P1__2024-05-01T10_00_00-Measurement 2/Images/…` is measurement 2 of plate `P1`.
    """
    folders = [part for part in PurePosixPath(name).parts[:-1] if part.lower() != "images"]
    match = _FOLDER.match(folders[-1]) if folders else None
    if match is None:
        return tuple(folders[-1:]), ""
    return (match["plate"], folders[-1]), match["measurement"]


def _by_name(name: str) -> ImageFile | None:
    match = FILE_NAME.match(PurePosixPath(name).name)
    if match is None or not int(match["row"]) or not int(match["column"]):
        return None
    plates, measurement = folder_names(name)
    return ImageFile(
        name=name,
        plates=plates,
        well=well_name(int(match["row"]), int(match["column"])),
        site=str(int(match["site"])),
        channel=str(int(match["channel"])),
        plane=str(int(match["plane"])),
        time=str(int(match["time"])),
        measurement=measurement,
        named=bool(measurement),
    )


def _local(element: ET.Element) -> str:
    """The name of an element without its name space."""
    return element.tag.rpartition("}")[2]
