"""Profiles in memory and as Parquet."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gandl_shared.errors import Malformed
from gandl_shared.imaging import SiteMetrics
from gandl_shared.plates import SiteId
from gandl_shared.store import (
    Profiles,
    join_profiles,
    read_batch,
    read_profiles,
    site_profiles,
    write_batch,
    write_profiles,
)

SITE = SiteId("P1", "A01", "1")


def profiles(tiles: int = 2, *, channels: int = 0, site: SiteId = SITE) -> Profiles:
    vectors = np.arange(tiles * 3, dtype=np.float32).reshape(tiles, 3)
    values = np.linspace(0.1, 0.9, channels, dtype=np.float32)
    metrics = (
        SiteMetrics(sharpness=values, saturated=values, structure=values, stripes=values, similarity=values)
        if channels
        else None
    )
    return site_profiles(site, [(16 * n, 8) for n in range(tiles)], "key", vectors, metrics)


def test_the_rows_of_a_site_repeat_its_name_and_metrics() -> None:
    rows = profiles(3, channels=2)
    assert (list(rows.wells), list(rows.tiles), list(rows.y)) == (["A01"] * 3, [0, 1, 2], [0, 16, 32])
    np.testing.assert_array_equal(rows.sharpness, [rows.sharpness[0]] * 3)
    assert rows.has_site_metrics
    assert np.isnan(rows.contrast).all()


def test_a_site_without_tiles_has_no_rows() -> None:
    rows = site_profiles(SITE, [], "key", np.empty((0, 3), np.float32))
    assert (len(rows), rows.vectors.shape) == (0, (0, 3))


def test_joined_profiles_keep_their_order_and_lack_metrics_where_a_part_lacks_them() -> None:
    joined = join_profiles([profiles(2), profiles(1, channels=2, site=SiteId("P1", "A02", "1"))])
    assert list(joined.wells) == ["A01", "A01", "A02"]
    assert np.isnan(joined.structure).tolist() == [[True, True], [True, True], [False, False]]


def test_columns_of_unequal_lengths_are_refused() -> None:
    rows = profiles(2)
    columns = {name: getattr(rows, name) for name in ("plates", "wells", "sites", "tiles", "y", "x", "keys")}
    with pytest.raises(Malformed, match="unequal lengths"):
        Profiles(**columns, vectors=np.zeros((3, 3), np.float32))


def test_rows_are_selected_in_every_column() -> None:
    rows = profiles(3, channels=1).where(np.array([True, False, True]))
    assert (list(rows.tiles), rows.vectors[:, 0].tolist(), len(rows.structure)) == ([0, 2], [0.0, 6.0], 2)


def test_a_file_comes_back_bit_for_bit() -> None:
    rows, buffer = profiles(2, channels=3), io.BytesIO()
    write_profiles(buffer, rows)
    stored = read_profiles(buffer)
    for name in ("plates", "keys", "tiles", "x", "vectors", "sharpness", "saturated", "structure"):
        np.testing.assert_array_equal(getattr(stored, name), getattr(rows, name))


@pytest.mark.parametrize("tiles", [0, 5])
def test_a_batch_comes_back_with_the_bits_of_every_number(tiles: int) -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, (tiles, 7), np.uint32)  # every kind of NaN is among all bits
    bits[:1, :2] = 0x7FC00001, 0x80000000
    rows = replace(profiles(tiles, channels=2), vectors=bits.view(np.float32))
    buffer = io.BytesIO()
    write_batch(buffer, rows)
    stored = read_batch(buffer)
    np.testing.assert_array_equal(stored.vectors.view(np.uint32), bits)
    assert stored.vectors.dtype == np.float32
    for name in ("plates", "keys", "tiles", "x", "sharpness", "similarity", "contrast"):
        np.testing.assert_array_equal(getattr(stored, name), getattr(rows, name))


def test_a_batch_of_an_older_version_has_a_column_per_number() -> None:
    rows, buffer = profiles(2, channels=3), io.BytesIO()
    write_profiles(buffer, rows)
    np.testing.assert_array_equal(read_batch(buffer).vectors, rows.vectors)


def test_a_table_of_something_else_is_refused_with_the_missing_column() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"Metadata_plate": ["P1"], "gandl_000": [1.0]}), buffer)
    for read in (read_profiles, read_batch):
        with pytest.raises(Malformed, match="column Metadata_well is missing"):
            read(buffer)


def test_more_than_a_thousand_features_stay_in_order() -> None:
    vectors = np.arange(1100, dtype=np.float32)[None]
    buffer = io.BytesIO()
    write_profiles(buffer, site_profiles(SiteId("P1", "A01", "1"), [(0, 0)], "0" * 64, vectors))
    buffer.seek(0)
    np.testing.assert_array_equal(read_profiles(buffer).vectors, vectors)
