"""Training data: the fields of a plate folder, packed once into one memory-mapped file, and random crops of them.

Fields pass through the same reader, limits and downscaling as in a screen (`gandl_shared.imaging`), so a featurizer is
trained on exactly what it will be shown. Whole fields are stored rather than tiles: a crop at any position, in any of
eight orientations, is worth far more variety on a small plate, and costs a copy of a few kilobytes.
"""

from __future__ import annotations

import json
import mmap
import shutil
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from gandl_shared.errors import BadInput, InvalidImage
from gandl_shared.imaging import Limits, Preprocessing, prepare_field, read_site, sampled_limits
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
    """What `fields.json` says: channel names, downscaling, limits for the card and one record a field."""

    channels: tuple[str, ...]
    downscale: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    records: tuple[FieldRecord, ...]

    @classmethod
    def from_json(cls, text: str) -> StoreIndex:
        """Inverse of `json.dumps(asdict(index))`."""
        v = json.loads(text)
        records = tuple(FieldRecord(**r) for r in v["records"])
        return cls(tuple(v["channels"]), v["downscale"], tuple(v["low"]), tuple(v["high"]), records)


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


def pack(source: Source, folder: Path, *, size: int) -> FieldStore:
    """Read every field of the used wells into `folder`. Limits are each plate's own; the card gets their median.

    Raises InvalidImage naming the file where sizes or channels differ or a crop of `size` does not fit, BadInput where
    there are fewer than two fields or the folder cannot be written; nothing is left behind then.
    """
    plate_map = read_plate_map(source.platemap)
    sites = find_sites(source.images, plate_map, source.pattern)
    if len(sites) < 2:
        raise BadInput(f"{source.images} holds {len(sites)} fields of the plate map; training needs at least two")
    by_plate = {p: [s.files for s in sites if s.plate == p] for p in dict.fromkeys(s.plate for s in sites)}
    limits = {p: sampled_limits(files, downscale=source.downscale) for p, files in by_plate.items()}
    index = _index(sites, plate_map, list(limits.values()), source)
    with _whole_or_nothing(folder) as partial:
        _write_fields(sites, limits, partial / FIELDS, size, source.downscale)
        (partial / INDEX).write_text(json.dumps(asdict(index), indent=1))
    return FieldStore.open(folder)


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
        raise BadInput(f"cannot write the packed fields to {folder}: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if made and folder.parent.is_dir() and not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def _write_fields(sites: Sequence[Site], limits: dict[str, Limits], path: Path, size: int, downscale: int) -> None:
    target: Uint8 | None = None
    for i, site in enumerate(sites):
        field = prepare_field(read_site(site.files), Preprocessing(limits[site.plate], size, downscale))
        if target is None:
            _check_fits(field, size, downscale, site)
            target = np.lib.format.open_memmap(path, "w+", dtype=np.uint8, shape=(len(sites), *field.shape))
        if field.shape != target.shape[1:]:
            detail = f"{_name(site)} is {field.shape} after downscaling, the fields before it {target.shape[1:]}"
            raise InvalidImage(f"{detail}; train on fields of one size")
        target[i] = field


def _name(site: Site) -> str:
    return ", ".join(path.name for path in site.files)


def _check_fits(field: Uint8, size: int, downscale: int, site: Site) -> None:
    if min(field.shape[1:]) < size:
        detail = f"{_name(site)} is {field.shape[1]}×{field.shape[2]} after downscaling by {downscale}"
        raise InvalidImage(f"{detail}; smaller than the resolution {size}")


def _index(sites: Sequence[Site], plate_map: PlateMap, limits: Sequence[Limits], source: Source) -> StoreIndex:
    low = np.median([x.low for x in limits], axis=0)
    high = np.median([x.high for x in limits], axis=0)
    names = source.channel_names or tuple(f"channel_{i + 1}" for i in range(len(low)))
    if len(names) != len(low):
        raise BadInput(f"{len(names)} channel names for {len(low)} channels: {', '.join(names)}")
    wells = {(w.plate, w.well): w for w in plate_map.wells}
    records = [
        FieldRecord(s.plate, s.well, s.site, wells[s.plate, s.well].role.value, wells[s.plate, s.well].cell_line)
        for s in sites
    ]
    return StoreIndex(names, source.downscale, tuple(map(float, low)), tuple(map(float, high)), tuple(records))


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
