"""Packing: the fields of a plate folder, or images of single cells, are read once and written to one mapped file.

Fields pass through the same reader, intensity limits and downscaling as in a screen (`gandl_shared.imaging`), so a
featurizer is trained on exactly the images that it will get in use.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from gandl_shared.errors import BadInput, InvalidImage, Problem, TooLarge, TrainingFailed, UnsupportedType, raise_if
from gandl_shared.files.atomic import atomic_folder
from gandl_shared.imaging import (
    MAX_SAMPLED_CELLS,
    MAX_SAMPLED_SITES,
    IntensityLimits,
    Preprocessing,
    Raw,
    check_depth,
    cut_tiles,
    prepare_field,
    read_header,
    read_site,
    sampled_limits,
    tile_origins,
)
from gandl_shared.plates import Site

from gandl_training.data.crops import is_usable
from gandl_training.data.field_store import FIELDS, INDEX, FieldStore, StoreIndex, Uint8
from gandl_training.data.source import Content, Source, content_of

_READERS = 8


def pack(source: Source, folder: Path, *, size: int, stopped: Callable[[], bool] = lambda: False) -> FieldStore:
    """Read every field of the used wells into a store in `folder`, and open it.

    The intensity limits are those of each plate; the model card gets their median. Raises InvalidImage naming all files
    that cannot be read, or the file where sizes, channels or bit depths differ or a crop of `size` does not fit;
    BadInput where there are fewer than two fields, all are blank or the folder cannot be written; and TrainingFailed
    once `stopped` returns True. After an error nothing is left behind.
    """
    source.check()
    content = content_of(source)
    sites = content.sites
    if len(sites) < 2:
        kind = "image" if source.single_cells else "field of the plate map"
        raise BadInput(f"{source.images} holds {len(sites)} {kind}; training needs at least two")
    _check_readable(sites, source)
    limits: dict[str, IntensityLimits] = {}
    for plate in dict.fromkeys(s.plate for s in sites):
        _check_stopped(stopped)
        of_plate = [site.stacks for site in sites if site.plate == plate]
        limits[plate] = sampled_limits(
            of_plate,
            downscale=source.downscale,
            reduction=source.choice.reduction,
            count=MAX_SAMPLED_CELLS if source.single_cells else MAX_SAMPLED_SITES,
        )
    index = _index(content, list(limits.values()), source)
    with _new_folder(folder) as new:
        _write_fields(_prepared_fields(sites, limits, size, source, stopped), len(sites), new / FIELDS, size)
        (new / INDEX).write_text(index.to_json())
    return FieldStore.open(folder)


def copy_store(packed: Path, folder: Path) -> FieldStore:
    """Copy the store in `packed` to `folder`, and open the copy. Raises BadInput where there is none or it cannot."""
    FieldStore.open(packed)
    with _new_folder(folder) as new:
        for name in (FIELDS, INDEX):
            _link_or_copy(packed / name, new / name)
    return FieldStore.open(folder)


def _link_or_copy(file: Path, copy: Path) -> None:
    try:
        # No run writes to its fields, so several may share one file.
        os.link(file.resolve(), copy)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(file, copy)


def check_source(index: StoreIndex, source: Source) -> None:
    """Raise BadInput where images and plate map are not those that were packed.

    Wells, sites, roles and cell lines are compared, and pixels are not. A missing folder or file raises NotFound.
    """
    packed = replace(
        source,
        pattern=index.pattern,
        channels=index.selection,
        choice=index.choice,
        channel_names=index.channels,
        single_cells=index.single_cells,
    )
    packed.check()
    content = content_of(packed)
    differing = set(content.records) ^ set(index.records)
    if differing:
        first = min(differing, key=lambda r: (r.plate, r.well, r.site))
        where = f"well {first.well} of plate {first.plate}, site {first.site}," if first.well else f"image {first.site}"
        raise BadInput(
            f"{content.name} is not what this run was packed from: {where} differs; give the images and the plate map "
            "of the run, or start a run in a new folder"
        )


def _check_readable(sites: Sequence[Site], source: Source) -> None:
    """Raise InvalidImage with all files whose header or length shows that they cannot be read."""
    remedy = "remove it" if source.single_cells else "leave its well out of the plate map"

    def problem(file: tuple[str, Path]) -> Problem | None:
        name, path = file
        try:
            read_header(path)
        except (InvalidImage, UnsupportedType, TooLarge) as error:
            return Problem(f"{error.detail}; put a good copy in its place, or {remedy}", file=name)
        return None

    files = {name: path for site in sites for name, path in zip(site.names, site.files, strict=True)}
    # Reading waits for the disk, so several threads do it.
    with ThreadPoolExecutor(_READERS) as pool:
        problems = [each for each in pool.map(problem, files.items()) if each is not None]
    raise_if(problems, InvalidImage, f"images of {source.images} cannot be read")


def _check_stopped(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise TrainingFailed(
            "packing the fields was stopped by a signal, and nothing of them was written; give the same command again"
        )


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the name `folder` at the end of the block. Raises BadInput where it cannot.

    After an error, the parent of `folder` is removed too if it was not there before.
    """
    parent_is_new = not folder.parent.exists()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(folder) as new:
            yield new
    except OSError as error:
        remedy = "free some space or give another --out" if error.errno == errno.ENOSPC else "give another --out"
        raise BadInput(f"cannot write the packed fields to {folder}: {error}; {remedy}") from error
    finally:
        if parent_is_new and folder.parent.is_dir() and not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def _prepared_fields(
    sites: Sequence[Site], limits: Mapping[str, IntensityLimits], size: int, source: Source, stopped: Callable[[], bool]
) -> Iterator[tuple[Uint8, str]]:
    """Yield each field as the model would get it, with the names of its files."""
    first_of_plate: dict[str, tuple[str, str]] = {}
    for site in sites:
        _check_stopped(stopped)
        image = read_site(site.stacks, source.choice.reduction)
        # Single cells often have the same file name in several folders, so their names are those below the images.
        name = site.site if source.single_cells else ", ".join(path.name for path in site.files)
        # Images of two depths under the same limits would come out black or white.
        check_depth(name, str(image.dtype), *first_of_plate.setdefault(site.plate, (name, str(image.dtype))))
        preprocessing = Preprocessing(
            limits=limits[site.plate], size=size, downscale=source.downscale, single_cell=source.single_cells
        )
        field = _prepared(image, name, preprocessing)
        if min(field.shape[1:]) < size:
            detail = f"the field {name} is {field.shape[1]}×{field.shape[2]} after downscaling by {source.downscale}"
            raise InvalidImage(
                f"{detail}, smaller than the resolution {size}; give a smaller --resolution or --downscale"
            )
        yield field, name


def _prepared(image: Raw, name: str, preprocessing: Preprocessing) -> Uint8:
    """Return a field as the model would get it, or the tile of a single cell. Raises InvalidImage naming the file."""
    field = prepare_field(image, preprocessing)
    if not preprocessing.single_cell:
        return field
    try:
        tile: Uint8 = cut_tiles(field, preprocessing)[0]
    except InvalidImage as error:
        raise InvalidImage(f"{name}: {error.detail}") from error
    return tile


def _write_fields(fields: Iterator[tuple[Uint8, str]], count: int, path: Path, size: int) -> None:
    target: Uint8 | None = None
    any_usable = False
    for i, (pixels, name) in enumerate(fields):
        if target is None:
            target = _allocate(path, (count, *pixels.shape))
        if pixels.shape != target.shape[1:]:
            sizes = f"{_size(pixels.shape)} after downscaling, the fields before it {_size(target.shape[1:])}"
            raise InvalidImage(f"the field {name} is {sizes}; train on fields of one size")
        target[i] = pixels
        any_usable = any_usable or _has_usable_tile(pixels, size)
    if not any_usable:
        raise BadInput(
            f"no image has a tile of {size}×{size} with contrast that is not saturated; look at the images, which are "
            "blank or overexposed"
        )


def _size(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{channels} channels of {height}×{width}"


def _allocate(path: Path, shape: tuple[int, ...]) -> Uint8:
    """Return a mapped array whose bytes are reserved on disk already.

    If the disk is too full, this raises OSError here, where a later write to the mapping would kill the process.
    """
    target: Uint8 = np.lib.format.open_memmap(path, "w+", dtype=np.uint8, shape=shape)
    # A mapped file of that length may still be sparse, so its blocks are allocated explicitly.
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return target


def _has_usable_tile(field: Uint8, size: int) -> bool:
    origins = tile_origins(field.shape[1], field.shape[2], size)
    return any(is_usable(field[:, y : y + size, x : x + size]) for y, x in origins)


def _index(content: Content, limits: Sequence[IntensityLimits], source: Source) -> StoreIndex:
    # The card has one pair of limits per channel; the median ignores a plate that is unusually bright.
    low = np.median([x.low for x in limits], axis=0)
    high = np.median([x.high for x in limits], axis=0)
    names = source.channel_names or content.channel_names or tuple(f"channel_{i + 1}" for i in range(len(low)))
    if len(names) != len(low):
        raise BadInput(f"{len(names)} channel names for {len(low)} channels: {', '.join(names)}")
    return StoreIndex(
        channels=names,
        downscale=source.downscale,
        low=tuple(map(float, low)),
        high=tuple(map(float, high)),
        records=content.records,
        pattern=source.pattern,
        selection=source.channels,
        choice=source.choice,
        single_cells=source.single_cells,
    )
