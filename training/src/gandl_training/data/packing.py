"""Packing: the fields of a plate folder are read once and written to one memory-mapped file.

Fields pass through the same reader, intensity limits and downscaling as in a screen (`gandl_shared.imaging`), so a
featurizer is trained on exactly the images that it will get in use.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from gandl_shared.errors import BadInput, InvalidImage, TrainingFailed
from gandl_shared.files.atomic import atomic_folder
from gandl_shared.imaging import (
    IntensityLimits,
    Preprocessing,
    check_depth,
    prepare_field,
    read_site,
    sampled_limits,
    split_sites,
    tile_origins,
)
from gandl_shared.plates import (
    EVERY_CONTROL,
    ImageSurvey,
    ModelInput,
    PlateMap,
    Site,
    Well,
    plate_map_of_names,
    read_plate_map,
    survey_images,
)
from gandl_shared.schemas.choice import ImageChoice

from gandl_training.data.crops import is_usable
from gandl_training.data.field_store import FIELDS, INDEX, FieldRecord, FieldStore, StoreIndex, Uint8


@dataclass(frozen=True)
class Source:
    """The input of `pack`: a folder of plates and its plate map.

    `pattern` is the pattern of the file names (None: it is found from the files). `channels` are the channels of the
    images in the order of the card, and `channel_names` go on the card; without `channels` these names decide the
    order, or else numbers. `choice` decides between several images of one site and channel.
    `sheet` is that of a plate map in a workbook (None: the first one). Without a plate map (None) the names of RxRx
    images tell plates, wells and cell types.
    """

    images: Path
    platemap: Path | None
    downscale: int = 1
    pattern: str | None = None
    channel_names: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    choice: ImageChoice = field(default_factory=ImageChoice)
    sheet: str | None = None


def pack(source: Source, folder: Path, *, size: int, stopped: Callable[[], bool] = lambda: False) -> FieldStore:
    """Read every field of the used wells into a store in `folder`, and open it.

    The intensity limits are those of each plate; the model card gets their median. Raises InvalidImage naming the file
    where sizes, channels or bit depths differ or a crop of `size` does not fit; BadInput where there are fewer than two
    fields, all are blank or the folder cannot be written; and TrainingFailed once `stopped` returns True. After an
    error nothing is left behind.
    """
    plate_map, survey = _survey(source)
    sites = survey.sites
    if len(sites) < 2:
        raise BadInput(f"{source.images} holds {len(sites)} field of the plate map; training needs at least two")
    limits: dict[str, IntensityLimits] = {}
    for plate in dict.fromkeys(s.plate for s in sites):
        _check_stopped(stopped)
        of_plate = [site.stacks for site in sites if site.plate == plate]
        limits[plate] = sampled_limits(of_plate, downscale=source.downscale, reduction=source.choice.reduction)
    index = _index(survey, plate_map, list(limits.values()), source)
    with _new_folder(folder) as new:
        _write_fields(_prepared_fields(sites, limits, size, source, stopped), len(sites), new / FIELDS, size)
        (new / INDEX).write_text(index.to_json())
    return FieldStore.open(folder)


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
    )
    plate_map, survey = _survey(packed)
    differing = set(_records(survey.sites, plate_map)) ^ set(index.records)
    if differing:
        first = min(differing, key=lambda r: (r.plate, r.well, r.site))
        raise BadInput(
            f"{source.images} with {plate_map.source} is not what this run was packed from: well {first.well} of plate "
            f"{first.plate}, site {first.site}, differs; give the images and the plate map of the run, or start a run "
            "in a new folder"
        )


def _survey(source: Source) -> tuple[PlateMap, ImageSurvey]:
    """Return the plate map and its images; sites that lack a channel are left out where the user skips them."""
    plate_map = plate_map_of(source)
    survey = survey_images(
        source.images,
        plate_map,
        source.pattern,
        channels=source.channels,
        inputs=[ModelInput(name=name) for name in source.channel_names or ()],
        choice=source.choice,
    )
    return survey.plate_map, replace(survey, sites=split_sites([site for site in survey.sites if site.is_complete]))


def plate_map_of(source: Source) -> PlateMap:
    """Return the plate map of the images: the user's table, or what the names of RxRx images tell."""
    if source.platemap is None:
        return plate_map_of_names(source.images)
    return read_plate_map(source.platemap, controls=False, sheet=source.sheet, positive=EVERY_CONTROL)


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
        image, name = read_site(site.stacks, source.choice.reduction), ", ".join(path.name for path in site.files)
        # Images of two depths under the same limits would come out black or white.
        check_depth(name, str(image.dtype), *first_of_plate.setdefault(site.plate, (name, str(image.dtype))))
        field = prepare_field(image, Preprocessing(limits=limits[site.plate], size=size, downscale=source.downscale))
        if min(field.shape[1:]) < size:
            detail = f"{name} is {field.shape[1]}×{field.shape[2]} after downscaling by {source.downscale}"
            raise InvalidImage(f"{detail}; smaller than the resolution {size}")
        yield field, name


def _write_fields(fields: Iterator[tuple[Uint8, str]], count: int, path: Path, size: int) -> None:
    target: Uint8 | None = None
    any_usable = False
    for i, (pixels, name) in enumerate(fields):
        if target is None:
            target = _allocate(path, (count, *pixels.shape))
        if pixels.shape != target.shape[1:]:
            detail = f"{name} is {pixels.shape} after downscaling, the fields before it {target.shape[1:]}"
            raise InvalidImage(f"{detail}; train on fields of one size")
        target[i] = pixels
        any_usable = any_usable or _has_usable_tile(pixels, size)
    if not any_usable:
        raise BadInput(f"no field of the plate map has a tile of {size}×{size} with contrast that is not saturated")


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


def _index(survey: ImageSurvey, plate_map: PlateMap, limits: Sequence[IntensityLimits], source: Source) -> StoreIndex:
    # The card has one pair of limits per channel; the median ignores a plate that is unusually bright.
    low = np.median([x.low for x in limits], axis=0)
    high = np.median([x.high for x in limits], axis=0)
    names = source.channel_names or survey.input_names or tuple(f"channel_{i + 1}" for i in range(len(low)))
    if len(names) != len(low):
        raise BadInput(f"{len(names)} channel names for {len(low)} channels: {', '.join(names)}")
    return StoreIndex(
        channels=names,
        downscale=source.downscale,
        low=tuple(map(float, low)),
        high=tuple(map(float, high)),
        records=_records(survey.sites, plate_map),
        pattern=source.pattern,
        selection=source.channels,
        choice=source.choice,
    )


def _records(sites: Sequence[Site], plate_map: PlateMap) -> tuple[FieldRecord, ...]:
    wells = {(w.plate, w.well): w for w in plate_map.wells}
    return tuple(_record(site, wells[site.plate, site.well]) for site in sites)


def _record(site: Site, well: Well) -> FieldRecord:
    return FieldRecord(
        plate=site.plate,
        well=site.well,
        site=site.site,
        role=well.role.value,
        cell_line=well.cell_line,
        experiment=well.experiment,
    )
