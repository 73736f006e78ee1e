"""Plates in OME-Zarr (NGFF 0.4 and 0.5): a folder, a ZIP archive, or a URL; each plane of each field is an image.

A plane is named by a reference such as `P1.zarr#field=B:03:0&plane=0,1`: channel 2 of the image `B/03/0` of plate
`P1.zarr`. `gandl_shared.imaging` reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from gandl_shared.errors import BadInput, Invalid, NotFound, Problem
from gandl_shared.files.keys import ARCHIVES, KeyedFiles, open_keys
from gandl_shared.files.references import ImageReference
from gandl_shared.plates.layouts.file_columns import inside
from gandl_shared.plates.layouts.images import ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.listing import Listing, reason_to_skip
from gandl_shared.plates.ome_zarr import (
    Multiscale,
    PlateField,
    PlateMetadata,
    read_array_metadata,
    read_multiscale,
    read_plate,
)

FIELD, PLANE, LEVEL = "field", "plane", "level"
"""Keys of a reference: the image with `:` in place of `/`, the indices of the leading axes, and the level."""

_READERS = 16
PACKED_ZARR = (".zarr.zip", ".ozx")
"""How the name of an OME-Zarr in one file ends, in lower case."""
_SUFFIXES = (*ARCHIVES, ".zarr", ".ome")


@dataclass(frozen=True, kw_only=True)
class _Image:
    """A field of a plate with its image, and the lengths of the image's leading axes (t, c, z)."""

    field: PlateField
    multiscale: Multiscale
    lengths: tuple[int, ...]


def read_ome_zarr(listing: Listing) -> Inventory | None:
    """Return the planes of all OME-Zarr plates of a folder, or None if there is no such plate.

    Raises InvalidImage and UnsupportedType for a plate that cannot be read, and Invalid where its fields name their
    channels differently.
    """
    files: list[ImageFile] = []
    images: list[_Image] = []
    skipped = Counter(listing.skipped)
    for name in _candidates(listing):
        keys = _open(listing.root, name)
        plate = None if keys is None else read_plate(keys)
        if keys is None or plate is None:
            skipped["archives and OME-Zarr images without a plate"] += 1
            continue
        members = _images(keys, plate)
        images += members
        names = _plate_names(listing.root, name, plate)
        files += [file for image in members for file in _files(name, names, image, named=plate.name is not None)]
    if not files:
        return None
    return Inventory(
        layout="OME-Zarr plate",
        files=tuple(files),
        channels=_channels(images, listing.root.name),
        skipped=dict(skipped),
    )


def _candidates(listing: Listing) -> list[str]:
    archives = [name for name in listing.others if name.lower().endswith(ARCHIVES)]
    return [name for name in (*listing.zarrs, *archives) if name == "." or reason_to_skip(name) is None]


def _open(root: Path, name: str) -> KeyedFiles | None:
    """Open a hierarchy, or return None for a damaged archive whose name does not say that it is OME-Zarr.

    Raises Invalid for a link out of the folder.
    """
    if inside(root, name) is None:
        detail = f"{name} is a link out of the images folder"
        raise Invalid(detail, problems=[Problem(detail, file=name)])
    try:
        return open_keys(root / name)
    except NotFound:
        raise
    except BadInput:
        if name == "." or name.lower().endswith(PACKED_ZARR):
            raise
        return None


def field_path(text: str) -> str:
    """Return the path of an image from the value of FIELD in a reference."""
    return text.replace(":", "/")


def _images(keys: KeyedFiles, plate: PlateMetadata) -> list[_Image]:
    def read(field: PlateField) -> _Image:
        multiscale = read_multiscale(keys, field.path)
        array = read_array_metadata(keys, multiscale.levels[0].path, multiscale.zarr_format)
        return _Image(field=field, multiscale=multiscale, lengths=array.shape[: len(multiscale.axes) - 2])

    # Each field has files of its own, and reading them waits for the disk or the network.
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(read, plate.fields))


def _plate_names(root: Path, name: str, plate: PlateMetadata) -> tuple[str, ...]:
    """Return the names that the plate may have: its own, that of its folder, and that of the folder around it."""
    path = root if name == "." else root / name
    stem = path.name
    while stem.lower().endswith(_SUFFIXES):
        stem = stem.rpartition(".")[0]
    own = (plate.name,) if plate.name else ()
    around = () if name == "." or path.parent == root else (path.parent.name,)
    return tuple(dict.fromkeys((*own, stem, *around)))


def _files(name: str, plates: tuple[str, ...], image: _Image, *, named: bool) -> Iterator[ImageFile]:
    """Yield one file for each plane. Times and focal planes count from 1, and are empty where there is only one."""
    axes = image.multiscale.axes[:-2]
    lengths = dict(zip(axes, image.lengths, strict=True))
    field = image.field.path.replace("/", ":")
    for plane in product(*(range(length) for length in image.lengths)):
        indices = dict(zip(axes, plane, strict=True))
        parts = {FIELD: field} | ({PLANE: ",".join(map(str, plane))} if plane else {})
        yield ImageFile(
            name=str(ImageReference(file=name, parts=parts)),
            plates=plates,
            well=image.field.well,
            site=image.field.site,
            channel=str(indices.get("c", 0) + 1),
            plane=_number(indices, lengths, "z"),
            time=_number(indices, lengths, "t"),
            measurement=image.field.acquisition,
            named=named,
            pixel_size_um=image.multiscale.levels[0].pixel_size_um,
        )


def _number(indices: dict[str, int], lengths: dict[str, int], axis: str) -> str:
    return str(indices[axis] + 1) if lengths.get(axis, 1) > 1 else ""


def _channels(images: Sequence[_Image], label: str) -> tuple[ChannelName, ...]:
    """Return the channels with the names of all fields. Raises Invalid if fields name a channel differently."""
    names: dict[int, dict[str, str]] = {}
    for image in images:
        for number, name in enumerate(image.multiscale.channels, start=1):
            if name is not None:
                names.setdefault(number, {}).setdefault(name, image.field.path)
    for number, places in names.items():
        if len(places) > 1:
            (one, first), (other, second), *_ = places.items()
            detail = f"channel {number} is '{one}' in {first} and '{other}' in {second} of {label}"
            fix = "export the plate with one order of channels"
            raise Invalid(f"{detail}; {fix}", problems=[Problem(f"{detail}; {fix}", field="channel")])
    count = max(_channel_count(image) for image in images)
    return tuple(ChannelName(token=str(n), name=next(iter(names.get(n, {})), None)) for n in range(1, count + 1))


def _channel_count(image: _Image) -> int:
    axes = image.multiscale.axes
    return image.lengths[axes.index("c")] if "c" in axes else 1
