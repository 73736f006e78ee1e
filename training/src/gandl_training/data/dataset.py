"""Training data: the fields of a plate folder, packed once into one memory-mapped file, and random crops of them.

Fields pass through the same reader, limits and downscaling as in a screen (`gandl_shared.imaging`), so a featurizer is
trained on exactly what it will be shown. Whole fields are stored rather than tiles: a crop at any position, in any of
eight orientations, is worth far more variety on a small plate, and costs a copy of a few kilobytes.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from gandl_shared.errors import BadInput, InvalidImage, TrainingFailed
from gandl_shared.imaging import (
    IntensityLimits,
    Preprocessing,
    check_depth,
    prepare_field,
    read_site,
    sampled_limits,
    tile_origins,
)
from gandl_shared.plates import PlateMap, Site, find_sites, read_plate_map
from numpy.typing import NDArray

Uint8 = NDArray[np.uint8]

FIELDS, INDEX = "fields.npy", "fields.json"
BLANK_STDDEV = 2.0
SATURATED_SHARE = 0.25
DRAWS = 8


@dataclass(frozen=True)
class FieldRecord:
    """Where a stored field comes from. Roles and compounds serve the control probe only; training never sees them."""

    plate: str
    well: str
    site: str
    role: str
    cell_line: str


@dataclass(frozen=True)
class StoreIndex:
    """What `fields.json` says: channel names, downscaling, limits for the card, one record a field, and the pattern of
    file names that was asked for."""

    channels: tuple[str, ...]
    downscale: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    records: tuple[FieldRecord, ...]
    pattern: str | None = None

    @classmethod
    def from_json(cls, text: str) -> StoreIndex:
        """Inverse of `json.dumps(asdict(index))`."""
        v = json.loads(text)
        records = tuple(FieldRecord(**r) for r in v["records"])
        limits = tuple(v["low"]), tuple(v["high"])
        return cls(tuple(v["channels"]), v["downscale"], *limits, records, v.get("pattern"))


@dataclass(frozen=True)
class FieldStore:
    """Fields [F, C, H, W] uint8 on disk, mapped into memory page by page as crops are taken."""

    fields: Uint8
    index: StoreIndex

    @classmethod
    def open(cls, folder: Path) -> FieldStore:
        """Raises BadInput where the folder holds no store."""
        try:
            fields = np.load(folder / FIELDS, mmap_mode="r", allow_pickle=False)
            return cls(fields, StoreIndex.from_json((folder / INDEX).read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{folder} holds no packed fields: {error}") from error

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.fields.shape[1])

    def release(self) -> None:
        """Take what was read so far out of this process's memory; the system may keep it in its file cache.

        Else a long run would hold the whole store, however large, as resident memory.
        """
        mapped: object = self.fields.base
        if isinstance(mapped, mmap.mmap):
            mapped.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True)
class Source:
    """What `pack` reads: a plate folder, its plate map, the file name pattern (None: found out) and channel names."""

    images: Path
    platemap: Path
    downscale: int = 1
    pattern: str | None = None
    channel_names: tuple[str, ...] | None = None


def pack(source: Source, folder: Path, *, size: int, stopped: Callable[[], bool] = lambda: False) -> FieldStore:
    """Read every field of the used wells into `folder`. Limits are each plate's own; the card gets their median.

    Raises InvalidImage naming the file where sizes, channels or bit depths differ or a crop of `size` does not fit,
    BadInput where there are fewer than two fields, all are blank or the folder cannot be written, and TrainingFailed
    once `stopped` says so; nothing is left behind then.
    """
    plate_map, sites = _sites(source.images, source.platemap, source.pattern)
    if len(sites) < 2:
        raise BadInput(f"{source.images} holds {len(sites)} field of the plate map; training needs at least two")
    limits: dict[str, IntensityLimits] = {}
    for plate in dict.fromkeys(s.plate for s in sites):
        _go_on(stopped)
        limits[plate] = sampled_limits([s.files for s in sites if s.plate == plate], downscale=source.downscale)
    index = _index(sites, plate_map, list(limits.values()), source)
    with _whole_or_nothing(folder) as partial:
        _write_fields(_prepared(sites, limits, size, source.downscale, stopped), len(sites), partial / FIELDS, size)
        (partial / INDEX).write_text(json.dumps(asdict(index), indent=1))
    return FieldStore.open(folder)


def check_same(index: StoreIndex, images: Path, platemap: Path) -> None:
    """Raises BadInput where these are not the fields that were packed: other wells, sites, roles or cell lines, or a
    folder or file that is not there. Pixels are not compared."""
    plate_map, sites = _sites(images, platemap, index.pattern)
    differing = set(_records(sites, plate_map)) ^ set(index.records)
    if differing:
        one = min(differing, key=lambda r: (r.plate, r.well, r.site))
        raise BadInput(
            f"{images} with {platemap} is not what this run was packed from: well {one.well} of plate {one.plate}, "
            f"site {one.site}, differs; give the run's own, or start a run in a new folder"
        )


def _sites(images: Path, platemap: Path, pattern: str | None) -> tuple[PlateMap, tuple[Site, ...]]:
    plate_map = read_plate_map(platemap, controls=False)
    return plate_map, find_sites(images, plate_map, pattern)


def _go_on(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise TrainingFailed("stopped while packing the fields; nothing is left of them: give the same command again")


@contextmanager
def _whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder that takes the name `folder` only when the block ends well. Raises BadInput where that cannot be."""
    partial, made = folder.with_name(f"{folder.name}.partial"), not folder.parent.exists()
    try:
        partial.mkdir(parents=True, exist_ok=True)
        yield partial
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except OSError as error:
        remedy = "free some space or give another --out" if error.errno == errno.ENOSPC else "give another --out"
        raise BadInput(f"cannot write the packed fields to {folder}: {error}; {remedy}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if made and folder.parent.is_dir() and not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def _prepared(
    sites: Sequence[Site], limits: dict[str, IntensityLimits], size: int, downscale: int, stopped: Callable[[], bool]
) -> Iterator[tuple[Uint8, str]]:
    """Each field as the model would see it, and the names of its files."""
    first: dict[str, tuple[str, str]] = {}
    for site in sites:
        _go_on(stopped)
        image, name = read_site(site.files), ", ".join(path.name for path in site.files)
        check_depth(name, str(image.dtype), *first.setdefault(site.plate, (name, str(image.dtype))))
        field = prepare_field(image, Preprocessing(limits=limits[site.plate], size=size, downscale=downscale))
        if min(field.shape[1:]) < size:
            detail = f"{name} is {field.shape[1]}×{field.shape[2]} after downscaling by {downscale}"
            raise InvalidImage(f"{detail}; smaller than the resolution {size}")
        yield field, name


def _write_fields(fields: Iterator[tuple[Uint8, str]], count: int, path: Path, size: int) -> None:
    target: Uint8 | None = None
    any_usable = False
    for i, (field, name) in enumerate(fields):
        if target is None:
            target = _reserved(path, (count, *field.shape))
        if field.shape != target.shape[1:]:
            detail = f"{name} is {field.shape} after downscaling, the fields before it {target.shape[1:]}"
            raise InvalidImage(f"{detail}; train on fields of one size")
        target[i] = field
        any_usable = any_usable or _has_usable(field, size)
    if not any_usable:
        raise BadInput(f"no field of the plate map has a tile of {size}×{size} with contrast that is not saturated")


def _reserved(path: Path, shape: tuple[int, ...]) -> Uint8:
    """A mapped array whose bytes are on disk already: a disk too full raises OSError here, where a write to the mapping
    would kill the process."""
    target: Uint8 = np.lib.format.open_memmap(path, "w+", dtype=np.uint8, shape=shape)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return target


def _has_usable(field: Uint8, size: int) -> bool:
    origins = tile_origins(field.shape[1], field.shape[2], size)
    return any(usable(field[:, y : y + size, x : x + size]) for y, x in origins)


def _index(sites: Sequence[Site], plate_map: PlateMap, limits: Sequence[IntensityLimits], source: Source) -> StoreIndex:
    low = np.median([x.low for x in limits], axis=0)
    high = np.median([x.high for x in limits], axis=0)
    names = source.channel_names or tuple(f"channel_{i + 1}" for i in range(len(low)))
    if len(names) != len(low):
        raise BadInput(f"{len(names)} channel names for {len(low)} channels: {', '.join(names)}")
    ends = tuple(map(float, low)), tuple(map(float, high))
    return StoreIndex(names, source.downscale, *ends, _records(sites, plate_map), source.pattern)


def _records(sites: Sequence[Site], plate_map: PlateMap) -> tuple[FieldRecord, ...]:
    wells = {(w.plate, w.well): w for w in plate_map.wells}
    return tuple(
        FieldRecord(s.plate, s.well, s.site, wells[s.plate, s.well].role.value, wells[s.plate, s.well].cell_line)
        for s in sites
    )


def usable(crop: Uint8) -> bool:
    """False for a blank crop (no channel varies by 2 of 255 grey levels) and one with a channel a quarter saturated."""
    saturated = (crop == 255).mean(axis=(1, 2)).max() > SATURATED_SHARE
    return not saturated and bool(crop.std(axis=(1, 2)).max() >= BLANK_STDDEV)


def draw_crop(store: FieldStore, fields: NDArray[np.intp], size: int, rng: np.random.Generator) -> Uint8:
    """One random crop [C, size, size] in one of eight orientations; up to 8 draws for a usable one."""
    height, width = store.fields.shape[2:]
    for _ in range(DRAWS):
        f = fields[rng.integers(len(fields))]
        y, x = rng.integers(height - size + 1), rng.integers(width - size + 1)
        crop = store.fields[f, :, y : y + size, x : x + size]
        if usable(crop):
            break
    turned: Uint8 = np.rot90(crop, int(rng.integers(4)), axes=(1, 2))
    return turned[:, :, ::-1] if rng.integers(2) else turned


@dataclass(frozen=True)
class Crops:
    """Batches of crops by step number: batch k is a pure function of (seed, k), so a run can stop and go on anywhere.

    `fields` restricts them (None: all). Of several processes each takes its contiguous share of the same global batch.
    """

    store: FieldStore
    size: int
    batch: int
    seed: int
    rank: int = 0
    world: int = 1
    fields: tuple[int, ...] | None = None

    def at(self, step: int) -> Uint8:
        """The batch of step `step`, [batch / world, C, size, size]."""
        rng = np.random.Generator(np.random.Philox(key=[self.seed, step]))
        fields = np.arange(len(self.store.fields)) if self.fields is None else np.array(self.fields)
        crops = [draw_crop(self.store, fields, self.size, rng) for _ in range(self.batch)]
        share = self.batch // self.world
        return np.stack(crops[self.rank * share : (self.rank + 1) * share])

    def stream(self, first: int) -> Generator[Uint8]:
        """Batches from step `first` on, the next one prepared while the caller uses the last."""
        with ThreadPoolExecutor(1, thread_name_prefix="crops") as pool:
            ahead = pool.submit(self.at, first)
            step = first
            while True:
                step += 1
                current, ahead = ahead, pool.submit(self._ahead, step)
                yield current.result()

    def _ahead(self, step: int) -> Uint8:
        self.store.release()
        return self.at(step)
