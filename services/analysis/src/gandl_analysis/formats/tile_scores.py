"""The efficacies of the tiles of a screen, as they are stored with an analysis: Parquet, one row per tile.

A page shows the tiles of one well at a time, so the rows of a well lie together and are read alone.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from gandl_science.arrays import Float
from gandl_shared.errors import Malformed
from gandl_shared.store import Profiles

_TEXTS = ("plate", "well", "site")
_NUMBERS = ("tile", "y", "x")


@dataclass(frozen=True, kw_only=True)
class TileScore:
    """A tile of a site: its number, its upper left corner in pixels of the image file, and its efficacy; None for a
    tile that counts in no score."""

    site: str
    tile: int
    y: int
    x: int
    efficacy: float | None


def tile_scores_bytes(profiles: Profiles, efficacy: Float) -> bytes:
    """Return the file of the tiles of `profiles`; `efficacy` [N] is NaN for a tile without a score."""
    columns: dict[str, pa.Array] = {
        name: pa.array(getattr(profiles, f"{name}s"), pa.string()).dictionary_encode() for name in _TEXTS
    }
    columns |= {"tile": pa.array(profiles.tiles), "y": pa.array(profiles.y), "x": pa.array(profiles.x)}
    columns["efficacy"] = pa.array(efficacy.astype(np.float32), pa.float32(), from_pandas=True)
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


def read_tile_scores(content: bytes, plate: str, well: str) -> tuple[TileScore, ...]:
    """Return the tiles of a well in the order of site and tile. Raises Malformed for another file."""
    try:
        selection = (pc.field("plate") == plate) & (pc.field("well") == well)
        table = pq.read_table(io.BytesIO(content), filters=selection, use_threads=False)
        rows = table.select(["site", *_NUMBERS, "efficacy"]).to_pylist()
    except (pa.ArrowInvalid, KeyError) as error:
        raise Malformed(f"the scores of tiles cannot be read: {error}; analyse the screen again") from error
    return tuple(TileScore(**row) for row in rows)
