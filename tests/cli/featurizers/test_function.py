"""Featurizers that are functions of tiles."""

from __future__ import annotations

import numpy as np
import pytest
from gandl.featurizers.function import intensity_featurizer, pca_featurizer
from gandl_science.assay.baselines.intensity import intensity_statistics
from gandl_shared.errors import Invalid, NotEnoughData

from tests.cli.featurizers.tile_samples import FORM, noise, sample


def test_intensity_statistics_are_a_featurizer() -> None:
    intensity, tiles = intensity_featurizer(FORM), noise(5)
    assert np.array_equal(intensity.embed(tiles), intensity_statistics(tiles))
    assert (intensity.card.name, intensity.card.features) == ("intensity", intensity.embed(tiles).shape[1])
    assert intensity.card.channel_names == ("GFP", "DNA")
    with pytest.raises(Invalid, match="intensity takes tiles of type uint8"):
        intensity.embed(tiles[:, :1])


def test_components_are_identified_by_what_they_were_fitted_to() -> None:
    first, again = (pca_featurizer(FORM, sample) for _ in range(2))
    other = pca_featurizer(FORM, lambda _card, _count: noise(40, seed=2))
    assert first.model_id == again.model_id != other.model_id
    assert first.embed(noise(3)).shape == (3, first.card.features) == (3, 39)
    assert first.card.training.data == "40 tiles of the screen itself, without labels"
    with pytest.raises(NotEnoughData, match="at least two tiles"):
        pca_featurizer(FORM, lambda _card, _count: noise(1))
