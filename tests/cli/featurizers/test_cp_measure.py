"""Features of nuclei by cp-measure, which is an optional package."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from gandl.featurizers.cp_measure import cp_measure_featurizer, fit_scale, nuclear_channel, nuclear_threshold, segment
from gandl.featurizers.tiles import TileForm
from gandl_shared.errors import BadInput, NotEnoughData
from gandl_shared.models import Channel
from numpy.typing import NDArray

SIZE = 64
FORM = TileForm(channels=(Channel(name="GFP"), Channel(name="far red", stain="DRAQ5")), size=SIZE)
CENTRES = ((16, 16), (16, 29), (45, 40))


def tile(centres: tuple[tuple[int, int], ...], bright: float = 60) -> NDArray[np.uint8]:
    """Return a tile with round nuclei of radius 7; `bright` is the signal of the first channel in them."""
    rng = np.random.default_rng(len(centres))
    pixels = rng.normal(20, 2, (2, SIZE, SIZE))
    y, x = np.mgrid[:SIZE, :SIZE]
    for centre_y, centre_x in centres:
        mask = (y - centre_y) ** 2 + (x - centre_x) ** 2 < 49
        pixels[:, mask] += np.array([[bright], [120]])
    return np.clip(pixels, 0, 255).astype(np.uint8)


TILES = np.stack([tile(CENTRES[: 1 + i % 3], 40 + 5 * i) for i in range(8)] + [tile(())])


def test_the_nuclear_stain_is_known_by_its_name() -> None:
    assert nuclear_channel(FORM) == 1
    assert nuclear_channel(TileForm(channels=(Channel(name="Hoechst 33342"), Channel(name="ER")))) == 0
    for names in (("GFP", "ER"), ("DNA", "DAPI"), ("channel_1", "channel_2")):
        with pytest.raises(BadInput, match="--model cp-measure segments nuclei"):
            nuclear_channel(TileForm(channels=tuple(Channel(name=name) for name in names)))


def test_touching_nuclei_are_told_apart_and_those_at_the_edge_left_out() -> None:
    pytest.importorskip("skimage")
    threshold = nuclear_threshold(TILES[:, 1])
    labels = segment(tile((*CENTRES, (0, 50)))[1], threshold)
    assert labels.max() == 3
    assert len({int(labels[y, x]) for y, x in CENTRES} - {0}) == 3
    assert segment(tile(())[1], threshold).max() == 0
    with pytest.raises(NotEnoughData, match="no contrast"):
        nuclear_threshold(np.zeros((2, SIZE, SIZE), np.uint8))


def test_features_that_do_not_vary_or_are_not_there_are_left_out() -> None:
    empty = np.full(4, np.nan)
    rows = [np.array([i, 5.0, np.nan, i**2]) for i in range(6)]
    scale = fit_scale([*rows, empty])
    assert scale.used.tolist() == [0, 3]
    vectors = scale.vectors(np.zeros((1, 2, 4, 4), np.uint8), lambda _: empty)
    assert vectors.tolist() == [[0, 0]]
    no_nuclei = np.array([0, np.nan, np.nan, np.nan])
    assert scale.vectors(np.zeros((1, 2, 4, 4), np.uint8), lambda _: no_nuclei)[0, 0] < -1
    alike = fit_scale([np.array([4.0, 5.0, np.nan, i**2]) for i in range(6)])
    assert alike.vectors(np.zeros((1, 2, 4, 4), np.uint8), lambda _: no_nuclei)[0].tolist() == [-4, 0]
    with pytest.raises(NotEnoughData, match="1 of 2 tiles hold a whole nucleus"):
        fit_scale([rows[0], empty])


def test_without_the_package_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cp_measure.featurizer", None)
    with pytest.raises(BadInput, match=r"needs the package cp-measure.*gandl\[cp-measure\]"):
        cp_measure_featurizer(FORM, lambda _card, _count: TILES)


def test_a_vector_measures_the_nuclei_of_its_tile_alone() -> None:
    pytest.importorskip("cp_measure")
    featurizer = cp_measure_featurizer(FORM, lambda _card, _count: TILES)
    vectors = featurizer.embed(TILES)
    assert vectors.shape == (9, featurizer.card.features) and np.isfinite(vectors).all()
    assert np.array_equal(featurizer.embed(TILES[4:5]), vectors[4:5])
    # A tile without nuclei differs from all others by their number, and by nothing else.
    assert vectors[-1, 0] < vectors[:-1, 0].min() and not vectors[-1, 1:].any()
    levels = 40 + 5 * np.arange(8)
    assert max(abs(np.corrcoef(column, levels)[0, 1]) for column in vectors[:8].T) > 0.99
