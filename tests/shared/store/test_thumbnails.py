"""Thumbnails in memory and as Parquet."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gandl_shared.errors import Malformed
from gandl_shared.plates import SiteId
from gandl_shared.store import GreyPicture, Store, Thumbnail, read_thumbnails, typical_tile, write_thumbnails


def picture(channels: int = 2, height: int = 30, width: int = 40) -> np.ndarray:
    """Channels with a slope, each of another brightness; the height is no multiple of a block of JPEG."""
    slope = np.linspace(0, 60, width)[None, :] + np.linspace(0, 30, height)[:, None]
    return np.stack([slope + 150 * n for n in range(channels)]).astype(np.uint8)


def thumbnail(well: str = "A01", site: str = "1") -> Thumbnail:
    return Thumbnail(
        site=SiteId("P/1", well, site),
        key="k" * 64,
        height=480,
        width=640,
        y=-3,
        x=16,
        field=GreyPicture.of(picture()),
        tile=GreyPicture.of(picture(height=16, width=16)),
    )


def test_a_picture_comes_back_channel_by_channel() -> None:
    stored = GreyPicture.of(picture())
    difference = np.abs(stored.pixels().astype(float) - picture())
    assert stored.pixels().shape == (2, 30, 40)
    # A bright channel does not shine into the dark one above it.
    assert difference.max() <= 4


@pytest.mark.parametrize(
    ("edge", "shape"), [(128, (30, 40)), (20, (15, 20)), (19, (15, 20)), (9, (8, 10)), (3, (4, 5))]
)
def test_a_picture_is_halved_where_it_may_be_small(edge: int, shape: tuple[int, int]) -> None:
    small = GreyPicture.of(picture()).pixels(edge)
    assert small.shape == (2, *shape)
    factor = -(-40 // shape[1])
    whole = picture()[:, : 30 // factor * factor, : 40 // factor * factor].astype(float)
    means = whole.reshape(2, 30 // factor, factor, 40 // factor, factor).mean(axis=(2, 4))
    assert np.abs(small[:, : means.shape[1], : means.shape[2]] - means).max() <= 6


def test_a_file_comes_back() -> None:
    rows, buffer = (thumbnail(), thumbnail("A02", "2.1")), io.BytesIO()
    write_thumbnails(buffer, rows)
    assert read_thumbnails(buffer) == rows


def test_the_typical_tile_is_nearest_to_the_median() -> None:
    vectors = np.array([[0, 0], [9, 9], [1, 1], [1.2, 1], [50, 1]], np.float32)
    assert typical_tile(vectors) == 3
    assert typical_tile(np.zeros((4, 2), np.float32)) == 0


def test_batches_of_a_screen_keep_their_order(tmp_path: object) -> None:
    store = Store(str(tmp_path))
    assert store.thumbnails("screen", 0) == ()
    store.put_thumbnails("screen", 1, [thumbnail("B01")])
    store.put_thumbnails("screen", 0, [thumbnail("A01"), thumbnail("A02")])
    assert [each.site.well for each in store.all_thumbnails("screen")] == ["A01", "A02", "B01"]
    assert [each.site.well for each in store.thumbnails("screen", 1)] == ["B01"]


def table(**columns: object) -> io.BytesIO:
    buffer = io.BytesIO()
    write_thumbnails(buffer, [thumbnail()])
    stored = pq.read_table(buffer)
    for name, value in columns.items():
        stored = stored.set_column(stored.column_names.index(name), name, pa.array([value]))
    changed = io.BytesIO()
    pq.write_table(stored, changed)
    return changed


@pytest.mark.parametrize(
    "columns", [{"field_height": 100_000}, {"channels": 0}, {"tile_width": 129}, {"field": None}, {"channels": "two"}]
)
def test_a_file_of_somebody_else_is_refused(columns: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="thumbnail"):
        read_thumbnails(table(**columns))


def test_another_table_is_refused_with_the_missing_column() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"Metadata_plate": ["P1"]}), buffer)
    with pytest.raises(Malformed, match="column Metadata_well is missing"):
        read_thumbnails(buffer)
    with pytest.raises(Malformed, match="has no thumbnails"):
        read_thumbnails(io.BytesIO(b"no parquet"))


def test_damaged_pixels_are_refused() -> None:
    stored = GreyPicture.of(picture())
    with pytest.raises(Malformed, match="another size"):
        replace(stored, width=8).pixels()
    with pytest.raises(Malformed, match="cannot be decoded"):
        replace(stored, jpeg=b"nothing").pixels()
