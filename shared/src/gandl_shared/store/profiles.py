"""Profiles: one vector a tile with where it comes from, and their Parquet form (`Metadata_*`, `gandl_000` …).

pycytominer, copairs and AnnData read the files as they are.
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
_FIGURES = ("sharpness", "saturated", "structure")

Text = NDArray[np.object_]  # Python strings
Int = NDArray[np.int32]
Figures = NDArray[np.float32]


def _not_measured() -> Figures:
    return np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class Profiles:
    """Vectors [N, F] of N tiles. `tiles` counts within a site; `y`, `x` is a tile's upper left corner in pixels of the
    image file; `keys` is the identity of a site's vectors: SHA-256 of image bytes, preprocessing and model.
    `sharpness`, `saturated`, `structure` [N, C] are the figures of its site (`SiteMetrics`); without any C is 0.
    `contrast` [N] is the tile's own (`tile_contrast`), NaN where it was not measured."""

    plates: Text
    wells: Text
    sites: Text
    tiles: Int
    y: Int
    x: Int
    keys: Text
    vectors: NDArray[np.float32]
    sharpness: Figures = dataclass_field(default_factory=_not_measured)
    saturated: Figures = dataclass_field(default_factory=_not_measured)
    structure: Figures = dataclass_field(default_factory=_not_measured)
    contrast: Figures = dataclass_field(default_factory=lambda: np.empty(0, np.float32))

    def __post_init__(self) -> None:
        if self.contrast.size == 0:
            object.__setattr__(self, "contrast", np.full(len(self.plates), np.nan, np.float32))
        for name in _FIGURES:
            if getattr(self, name).size == 0:
                object.__setattr__(self, name, np.empty((len(self.plates), 0), np.float32))
        lengths = {f.name: len(getattr(self, f.name)) for f in fields(self)}
        if len(set(lengths.values())) > 1 or self.vectors.ndim != 2:
            raise Malformed(f"profiles of unequal lengths: {lengths}, vectors {self.vectors.shape}")

    def __len__(self) -> int:
        return len(self.plates)

    @property
    def measured(self) -> bool:
        """Whether figures of the images are known."""
        return bool(self.sharpness.shape[1])

    def where(self, keep: NDArray[np.bool_]) -> Profiles:
        """The rows where `keep` is true."""
        return Profiles(*(getattr(self, f.name)[keep] for f in fields(self)))


def empty(features: int) -> Profiles:
    """No rows of `features` numbers."""
    text, integer = np.empty(0, object), np.empty(0, np.int32)
    return Profiles(text, text, text, integer, integer, integer, text, np.empty((0, features), np.float32))


def of_site(
    place: tuple[str, str, str],
    origins: Sequence[tuple[int, int]],
    key: str,
    vectors: NDArray[np.float32],
    figures: SiteMetrics | None = None,
    contrast: NDArray[np.float32] | None = None,
) -> Profiles:
    """The rows of one site: (plate, well, site), the corners (y, x) of its tiles, a vector each, its figures, and
    the contrast of each tile."""
    n = len(origins)
    plate, well, site = (np.full(n, part, object) for part in place)
    corners = np.asarray(origins, np.int32).reshape(n, 2)
    tiles = np.arange(n, dtype=np.int32)
    y, x = corners.T
    found: dict[str, Any] = {name: np.tile(getattr(figures, name), (n, 1)) for name in _FIGURES if figures is not None}
    found |= {} if contrast is None else {"contrast": contrast}
    return Profiles(plate, well, site, tiles, y, x, np.full(n, key, object), vectors, **found)


def concatenated(parts: Sequence[Profiles]) -> Profiles:
    """All rows, in the order of `parts` (at least one); figures that some parts do not have are NaN there."""
    channels = max(part.sharpness.shape[1] for part in parts)
    joined = {f.name: [getattr(part, f.name) for part in parts] for f in fields(Profiles)}
    for name in _FIGURES:
        joined[name] = [x if x.shape[1] else np.full((len(x), channels), np.nan, np.float32) for x in joined[name]]
    return Profiles(**{name: np.concatenate(columns) for name, columns in joined.items()})


def write_profiles(file: BinaryIO, profiles: Profiles) -> None:
    """Write Parquet with one row a tile."""
    columns: dict[str, pa.Array] = {}
    for name, column in _COLUMNS.items():
        values = getattr(profiles, name)
        columns[column] = pa.array(values, pa.string() if name in _TEXT else pa.int32())
    for name in _FIGURES:
        for channel, values in enumerate(getattr(profiles, name).T, start=1):
            columns[f"Metadata_{name}_{channel}"] = pa.array(np.ascontiguousarray(values), pa.float32())
    if np.isfinite(profiles.contrast).any():
        columns[_CONTRAST] = pa.array(profiles.contrast, pa.float32())
    repeated = [name for name, column in columns.items() if not pa.types.is_int32(column.type)]
    features = np.ascontiguousarray(profiles.vectors.T)
    for i, feature in enumerate(features):
        columns[f"{FEATURE_PREFIX}{i:03d}"] = pa.array(feature, pa.float32())
    # Vectors neither repeat nor compress; statistics of 512 columns would be half of a small file.
    pq.write_table(pa.table(columns), file, use_dictionary=repeated, write_statistics=False, compression="none")


def read_profiles(file: BinaryIO) -> Profiles:
    """Read what `write_profiles` wrote. Raises Malformed where columns are missing."""
    # Simpler than pq.read_table, which is made for data sets, and twice as fast on the many small files of a screen.
    table = pq.ParquetFile(file).read(use_threads=False)
    missing = [column for column in _COLUMNS.values() if column not in table.column_names]
    if missing:
        raise Malformed(f"no profiles: column {missing[0]} is missing")
    features = sorted(c for c in table.column_names if c.startswith(FEATURE_PREFIX))
    vectors = _matrix(table.select(features))
    figures: dict[str, Any] = {name: _figures(table, name) for name in _FIGURES}
    if _CONTRAST in table.column_names:
        figures["contrast"] = table.column(_CONTRAST).to_numpy()
    return Profiles(**{name: _column(table, name) for name in _COLUMNS}, vectors=vectors, **figures)


def _matrix(table: pa.Table) -> NDArray[np.float32]:
    if table.num_rows == 0:
        return np.empty((0, table.num_columns), np.float32)
    (batch,) = table.combine_chunks().to_batches()
    matrix: NDArray[np.float32] = batch.to_tensor(row_major=True).to_numpy()
    return matrix


def _figures(table: pa.Table, name: str) -> Figures:
    """Columns of one figure [N, C], by channel; files of before there were any have none."""
    channels = (f"Metadata_{name}_{n}" for n in range(1, table.num_columns))
    present = list(takewhile(table.column_names.__contains__, channels))
    return _matrix(table.select(present)) if present else _not_measured()


def _column(table: pa.Table, name: str) -> NDArray[Any]:  # object or int32, by the column
    values: NDArray[Any] = table.column(_COLUMNS[name]).to_numpy()
    return values.astype(object) if name in _TEXT else values.astype(np.int32)
