"""A sample of the tiles of a screen with their positions along axes and components, as the scatter shows them: Parquet.

A screen may have 100,000 tiles, and a browser draws some ten thousand points fluently. The rule of the sample is
`sampled_rows`, and the file says of how many tiles it is a sample.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gandl_science.arrays import Float, Index
from gandl_science.axis.plate_normalisation import principal_components
from gandl_shared.errors import Malformed
from gandl_shared.store import Profiles
from numpy.typing import NDArray

MAX_TILES = 20_000
N_COMPONENTS = 3
_TEXTS = ("plate", "well", "site")
_NUMBERS = ("tile", "y", "x")
_TOTALS = b"gandl_tiles"


@dataclass(frozen=True, kw_only=True)
class TileSample:
    """K tiles in the order of the profiles, out of `total`: `texts` are plate, well and site, `numbers` the number of
    the tile and its upper left corner in pixels of the image file, and `positions` by name; NaN where there is none."""

    total: int
    plates: list[str]
    wells: list[str]
    sites: list[str]
    tiles: list[int]
    y: list[int]
    x: list[int]
    positions: Mapping[str, Float]


def sampled_rows(profiles: Profiles, limit: int = MAX_TILES) -> Index:
    """Return the rows of all tiles, or of at most `limit` of them.

    Each well has the same number of tiles then, or all of its own if it has fewer: evenly spaced in the order of its
    sites and tiles. Of more wells than the limit, evenly spaced ones have one tile each.
    """
    keys = list(zip(profiles.plates, profiles.wells, strict=True))
    if len(keys) <= limit:
        return np.arange(len(keys))
    codes: dict[tuple[str, str], int] = {}
    well = np.array([codes.setdefault(key, len(codes)) for key in keys])
    order = np.argsort(well, kind="stable")
    counts = np.bincount(well)
    starts = np.cumsum(counts) - counts
    per_well = max(limit // len(counts), 1)
    # The middles of equal parts, so that one tile of a well is neither its first nor its last.
    steps = [
        start + ((np.arange(n := min(per_well, count)) + 0.5) * count / n).astype(np.intp)
        for start, count in zip(starts.tolist(), counts.tolist(), strict=True)
    ]
    rows = np.sort(order[np.concatenate(steps)])
    return rows if len(rows) <= limit else rows[np.linspace(0, len(rows) - 1, limit).astype(np.intp)]


def tile_sample_bytes(profiles: Profiles, positions: Mapping[str, Float]) -> bytes:
    """Return the file of the sample; `positions` [N] have NaN for a tile without one. Principal components of the
    vectors of the sample are added to them."""
    rows = sampled_rows(profiles)
    part = profiles.where(np.isin(np.arange(len(profiles)), rows))
    scores = principal_components(part.vectors, N_COMPONENTS)
    columns: dict[str, pa.Array] = {
        name: pa.array(getattr(part, f"{name}s"), pa.string()).dictionary_encode() for name in _TEXTS
    }
    columns |= {"tile": pa.array(part.tiles), "y": pa.array(part.y), "x": pa.array(part.x)}
    components = {f"component:{k + 1}": scores[:, k] for k in range(scores.shape[1])}
    sampled: dict[str, NDArray[np.floating]] = {name: of_all[rows] for name, of_all in positions.items()}
    for name, values in {**sampled, **components}.items():
        columns[f"at {name}"] = pa.array(values.astype(np.float32), pa.float32(), from_pandas=True)
    table = pa.table(columns).replace_schema_metadata({_TOTALS: str(len(profiles)).encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def read_tile_sample(content: bytes) -> TileSample:
    """Return the sample of such a file. Raises Malformed for another file."""
    try:
        table = pq.read_table(io.BytesIO(content), use_threads=False)
        texts = {f"{name}s": table.column(name).to_pylist() for name in _TEXTS}
        numbers = {name: table.column(name).to_pylist() for name in _NUMBERS}
        total = int((table.schema.metadata or {})[_TOTALS])
    except (pa.ArrowInvalid, KeyError, ValueError) as error:
        detail = f"the positions of tiles cannot be read: {error}; analyse the screen again"
        raise Malformed(detail) from error
    names = [name for name in table.column_names if name.startswith("at ")]
    positions = {name.removeprefix("at "): table.column(name).to_numpy().astype(np.float64) for name in names}
    return TileSample(total=total, **texts, tiles=numbers["tile"], y=numbers["y"], x=numbers["x"], positions=positions)
