"""Profiles: one vector per tile with its origin, in memory and as Parquet (columns `Metadata_*`, `gandl_000` …).

pycytominer, copairs and AnnData read the files as they are. A batch of a screen has a form of its own, with one column
of vectors: a column of Parquet costs about 40 µs however few rows it has, and a batch has few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from itertools import takewhile
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gandl_shared.errors import Malformed
from gandl_shared.imaging import SiteMetrics
from gandl_shared.plates import SiteId

FEATURE_PREFIX = "gandl_"
_COLUMNS = {
    "plates": "Metadata_plate",
    "wells": "Metadata_well",
    "sites": "Metadata_site",
    "tiles": "Metadata_tile",
    "y": "Metadata_y",
    "x": "Metadata_x",
    "keys": "Metadata_key",
}
_TEXT = ("plates", "wells", "sites", "keys")
_CONTRAST = "Metadata_contrast"
_METRICS = ("sharpness", "saturated", "structure", "stripes", "similarity")
_VECTORS = "vectors"
_STORED = np.dtype("<f4")

Text = NDArray[np.object_]  # Python strings
Int = NDArray[np.int32]
Float32 = NDArray[np.float32]


def _not_measured() -> Float32:
    return np.empty((0, 0), np.float32)


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """Vectors [N, F] of N tiles.

    `tiles` counts within a site; `y`, `x` is the upper left corner of a tile in pixels of the image file. `keys` is the
    identity of a site's vectors: SHA-256 of image bytes, preprocessing and model. `sharpness`, `saturated`,
    `structure`, `stripes` and `similarity` [N, C] are the metrics of the tile's site (`SiteMetrics`); C is 0 if they
    were not measured. `contrast`
    [N] belongs to the tile itself (`tile_contrast`); it is NaN if it was not measured.
    """

    plates: Text
    wells: Text
    sites: Text
    tiles: Int
    y: Int
    x: Int
    keys: Text
    vectors: Float32
    sharpness: Float32 = dataclass_field(default_factory=_not_measured)
    saturated: Float32 = dataclass_field(default_factory=_not_measured)
    structure: Float32 = dataclass_field(default_factory=_not_measured)
    stripes: Float32 = dataclass_field(default_factory=_not_measured)
    similarity: Float32 = dataclass_field(default_factory=_not_measured)
    contrast: Float32 = dataclass_field(default_factory=lambda: np.empty(0, np.float32))

    def __post_init__(self) -> None:
        if self.contrast.size == 0:
            object.__setattr__(self, "contrast", np.full(len(self.plates), np.nan, np.float32))
        for name in _METRICS:
            if getattr(self, name).size == 0:
                object.__setattr__(self, name, np.empty((len(self.plates), 0), np.float32))
        lengths = {f.name: len(getattr(self, f.name)) for f in fields(self)}
        if len(set(lengths.values())) > 1 or self.vectors.ndim != 2:
            raise Malformed(f"profiles of unequal lengths: {lengths}, vectors {self.vectors.shape}")

    def __len__(self) -> int:
        return len(self.plates)

    @property
    def has_site_metrics(self) -> bool:
        """True if the metrics of the sites were measured."""
        return bool(self.sharpness.shape[1])

    def where(self, keep: NDArray[np.bool_] | slice) -> Profiles:
        """Return the rows where `keep` [N] is true, or those of a slice, which are not copied."""
        return Profiles(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})


def site_profiles(
    site: SiteId,
    origins: Sequence[tuple[int, int]],
    key: str,
    vectors: Float32,
    metrics: SiteMetrics | None = None,
    contrast: Float32 | None = None,
) -> Profiles:
    """Return the N rows of one site.

    `origins` are the corners (y, x) of its tiles. `vectors` [N, F] and `contrast` [N] belong to the tiles, `key` and
    `metrics` to the site.
    """
    n = len(origins)
    y, x = np.asarray(origins, np.int32).reshape(n, 2).T
    optional: dict[str, Float32] = {}
    if metrics is not None:
        optional |= {name: np.tile(getattr(metrics, name), (n, 1)) for name in _METRICS}
    if contrast is not None:
        optional["contrast"] = contrast
    return Profiles(
        plates=np.full(n, site.plate, object),
        wells=np.full(n, site.well, object),
        sites=np.full(n, site.site, object),
        tiles=np.arange(n, dtype=np.int32),
        y=y,
        x=x,
        keys=np.full(n, key, object),
        vectors=vectors,
        **optional,
    )


def join_profiles(parts: Sequence[Profiles]) -> Profiles:
    """Return all rows in the order of `parts` (at least one). Metrics that a part does not have become NaN."""
    channels = max(part.sharpness.shape[1] for part in parts)
    columns = {f.name: [getattr(part, f.name) for part in parts] for f in fields(Profiles)}
    for name in _METRICS:
        missing = [np.full((len(x), channels), np.nan, np.float32) for x in columns[name]]
        columns[name] = [x if x.shape[1] else nan for x, nan in zip(columns[name], missing, strict=True)]
    return Profiles(**{name: np.concatenate(values) for name, values in columns.items()})


def write_profiles(file: BinaryIO, profiles: Profiles) -> None:
    """Write Parquet with one row per tile, for other tools."""
    _write(file, profiles_table(profiles))


def write_batch(file: BinaryIO, profiles: Profiles) -> None:
    """Write Parquet with one row per tile, and its vector as the bytes of its numbers, for `read_batch`."""
    _write(file, _origins(profiles).append_column(_VECTORS, _bytes_of(profiles.vectors)))


def profiles_table(profiles: Profiles) -> pa.Table:
    """Return one row per tile, as a file of profiles holds it."""
    table = _origins(profiles)
    columns = dict(zip(table.column_names, table.columns, strict=True))
    features = np.ascontiguousarray(profiles.vectors.T)
    for i, feature in enumerate(features):
        columns[f"{FEATURE_PREFIX}{i:03d}"] = pa.array(feature, pa.float32())
    return pa.table(columns)


def read_profiles(file: BinaryIO) -> Profiles:
    """Read a file of `write_profiles`. Raises Malformed if columns are missing."""
    table = _read(file)
    return _profiles(table, _features(table))


def read_batch(file: BinaryIO) -> Profiles:
    """Read a file of `write_batch`, or of `write_profiles`, as older versions wrote batches. Raises Malformed."""
    table = _read(file)
    return _profiles(table, _numbers_of(table.column(_VECTORS)) if _VECTORS in table.column_names else _features(table))


def _write(file: BinaryIO, table: pa.Table) -> None:
    repeated = [f.name for f in table.schema if f.name.startswith("Metadata_") and not pa.types.is_int32(f.type)]
    # Vectors neither repeat nor compress, and statistics of 512 columns would be half of a small file.
    pq.write_table(table, file, use_dictionary=repeated, write_statistics=False, compression="none")


def _read(file: BinaryIO) -> pa.Table:
    # pq.read_table is for whole data sets; ParquetFile is twice as fast on the many small files of a screen.
    table = pq.ParquetFile(file).read(use_threads=False)
    missing = [column for column in _COLUMNS.values() if column not in table.column_names]
    if missing:
        raise Malformed(f"the file has no profiles: column {missing[0]} is missing")
    return table


def _origins(profiles: Profiles) -> pa.Table:
    """Return all columns but those of the vectors."""
    columns: dict[str, pa.Array] = {}
    for name, column in _COLUMNS.items():
        values = getattr(profiles, name)
        columns[column] = pa.array(values, pa.string() if name in _TEXT else pa.int32())
    for name in _METRICS:
        for channel, values in enumerate(getattr(profiles, name).T, start=1):
            columns[f"Metadata_{name}_{channel}"] = pa.array(np.ascontiguousarray(values), pa.float32())
    # A missing column is read as not measured, so a column of NaN only would add nothing.
    if np.isfinite(profiles.contrast).any():
        columns[_CONTRAST] = pa.array(profiles.contrast, pa.float32())
    return pa.table(columns)


def _profiles(table: pa.Table, vectors: Float32) -> Profiles:
    optional: dict[str, Any] = {name: _metric(table, name) for name in _METRICS}
    if _CONTRAST in table.column_names:
        optional["contrast"] = table.column(_CONTRAST).to_numpy()
    return Profiles(**{name: _column(table, name) for name in _COLUMNS}, vectors=vectors, **optional)


def _features(table: pa.Table) -> Float32:
    """Return the vectors of a table with one column per number."""
    features = [c for c in table.column_names if c.startswith(FEATURE_PREFIX)]
    # By number: as a text, gandl_1000 comes before gandl_101.
    features.sort(key=lambda name: int(name.removeprefix(FEATURE_PREFIX)))
    return _matrix(table.select(features))


def _bytes_of(vectors: Float32) -> pa.FixedSizeBinaryArray:
    """Return vectors [N, F] as N values of 4 F bytes."""
    rows = np.ascontiguousarray(vectors, _STORED)
    kind = pa.binary(rows.shape[1] * _STORED.itemsize)
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(rows), [None, pa.py_buffer(rows)])


def _numbers_of(column: pa.ChunkedArray) -> Float32:
    """Return the vectors of which `_bytes_of` made a column."""
    rows = column.combine_chunks()
    width = rows.type.byte_width
    shape = (len(rows), width // _STORED.itemsize)
    return np.ndarray(shape, _STORED, rows.buffers()[1], rows.offset * width)


def _matrix(table: pa.Table) -> NDArray[np.float32]:
    if table.num_rows == 0:
        return np.empty((0, table.num_columns), np.float32)
    (batch,) = table.combine_chunks().to_batches()
    matrix: NDArray[np.float32] = batch.to_tensor(row_major=True).to_numpy()
    return matrix


def _metric(table: pa.Table, name: str) -> Float32:
    """Return the columns of one metric [N, C], channel by channel; files of older versions have none."""
    channels = (f"Metadata_{name}_{n}" for n in range(1, table.num_columns))
    present = list(takewhile(table.column_names.__contains__, channels))
    return _matrix(table.select(present)) if present else _not_measured()


def _column(table: pa.Table, name: str) -> NDArray[Any]:  # object or int32, depending on the column
    values: NDArray[Any] = table.column(_COLUMNS[name]).to_numpy()
    return values.astype(object) if name in _TEXT else values.astype(np.int32)
