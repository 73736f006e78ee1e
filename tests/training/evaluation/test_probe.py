"""The control probe on features whose answer is known."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import NotEnoughData
from gandl_training.data.dataset import FieldStore, Source, pack
from gandl_training.evaluation.probe import ControlTiles, control_tiles, intensity_features, probe, whitening, z_prime

from tests.training.conftest import resident


def controls(wells: int = 24, tiles: int = 20) -> ControlTiles:
    well = np.repeat(np.arange(wells), tiles)
    return ControlTiles(np.zeros((len(well), 1, 2, 2), np.uint8), well % 3 == 0, well, well % 8 // 2)


def test_z_prime_of_known_moments() -> None:
    positive, negative = np.array([0.9, 1.0, 1.1]), np.array([-1.1, -1.0, -0.9])
    assert z_prime(positive, negative) == pytest.approx(1 - 3 * 0.2 / 2)


def test_whitening_makes_the_covariance_the_identity() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50_000, 6)) @ rng.normal(size=(6, 6))
    rows -= rows.mean(0)
    assert np.allclose(np.cov(rows @ whitening(rows), rowvar=False), np.eye(6), atol=0.02)


def test_separable_features_give_a_perfect_probe_and_random_labels_chance() -> None:
    c, rng = controls(), np.random.default_rng(1)
    x = rng.normal(size=(len(c.well), 10)) + rng.normal(size=(24, 10))[c.well] * 0.1
    x[:, 0] += 20 * c.positive
    result = probe(x, c)
    assert result.accuracy == 1.0
    assert result.z_prime > 0.8
    wells = rng.permuted(np.arange(24) % 3 == 0)
    noise = rng.normal(size=(24, 10))[c.well] * 5 + rng.normal(size=(len(c.well), 10))  # wells differ, classes do not
    chance = probe(noise, ControlTiles(c.tiles, wells[c.well], c.well, c.fold))
    assert chance.accuracy < 0.75
    assert chance.z_prime < 0


def test_whitening_finds_a_direction_that_large_common_variation_hides() -> None:
    c, rng = controls(), np.random.default_rng(2)
    x = rng.normal(size=(len(c.well), 10))
    shared = rng.normal(size=(24, 1))[c.well] * 100
    x += shared  # a nuisance of wells, equal in all features
    x[:, 0] += 6 * c.positive
    assert probe(x, c).z_prime > probe(x, c, whiten=False).z_prime


def test_tiles_of_a_plate_are_grouped_by_row(plate: Source, tmp_path: Path) -> None:
    store = pack(plate, tmp_path / "data", size=16)
    c = control_tiles(store, 16, "U2OS")
    assert c.tiles.shape == (8 * 4, 2, 16, 16)
    assert sorted(set(c.fold)) == [0, 1]
    assert all(len(set(c.fold[c.well == w])) == 1 for w in set(c.well))
    assert probe(intensity_features(c.tiles), c).accuracy == 1.0
    with pytest.raises(NotEnoughData, match="two wells of each control"):
        control_tiles(store, 16, "HeLa")


def test_controls_are_thinned_before_they_are_read(plate: Source, tmp_path: Path) -> None:
    """What is kept in memory is a copy of the tiles asked for; nothing keeps the store mapped page by page."""
    store = pack(plate, tmp_path / "data", size=16)
    whole, some = (control_tiles(store, 16, most=most) for most in (None, 20))
    assert np.array_equal(some.tiles, whole.tiles[::2]) and len(whole.tiles) == 32
    assert [x.tolist() for x in (some.well, some.fold, some.positive)] == [
        x[::2].tolist() for x in (whole.well, whole.fold, whole.positive)
    ]
    assert some.tiles.flags.owndata
    large = np.random.default_rng(0).integers(0, 200, (64, 2, 512, 512), np.uint8)
    np.save(tmp_path / "data" / "fields.npy", large)
    records = tuple(replace(r, well=f"{r.well[0]}{n:02d}") for n, r in enumerate(store.index.records * 8))
    mapped = replace(FieldStore.open(tmp_path / "data"), index=replace(store.index, records=records))
    tracemalloc.start()
    some = control_tiles(mapped, 16, most=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(some.tiles) == 100
    assert peak < large.nbytes / 4
    assert resident(tmp_path / "data" / "fields.npy") < large.nbytes / 4096


def test_blank_tiles_are_left_out_as_in_a_screen(plate: Source, tmp_path: Path) -> None:
    store = pack(plate, tmp_path / "data", size=16)
    fields = np.array(store.fields)
    fields[0, :, :20, :20] = 60  # one of four tiles
    fields[1] = 60  # a well of nothing else
    c = control_tiles(replace(store, fields=fields), 16)
    assert np.bincount(c.well).tolist() == [3, *[4] * 7]
