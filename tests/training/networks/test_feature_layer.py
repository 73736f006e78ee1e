"""The vector of each feature layer against the maps it is computed from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gandl_shared.errors import BadInput
from gandl_training.networks.feature_layer import (
    FeatureLayer,
    Featurizer,
    MiddleHalf,
    Whitened,
    feature_count,
    feature_layer,
    moments,
)
from gandl_training.networks.stylegan2 import Discriminator
from PIL import Image

from tests.training.small_run import TINY


@pytest.fixture
def tiles() -> torch.Tensor:
    return torch.randint(0, 256, (5, 2, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("layer", FeatureLayer)
def test_a_vector_has_the_stated_length_and_depends_on_its_image_only(layer: FeatureLayer, tiles: torch.Tensor) -> None:
    discriminator = Discriminator(TINY)
    featurizer = Featurizer(discriminator, layer)
    together = featurizer(tiles)
    assert together.shape == (5, feature_count(discriminator, layer))
    torch.testing.assert_close(torch.cat([featurizer(tile[None]) for tile in tiles]), together, rtol=1e-5, atol=1e-6)


def test_each_layer_is_computed_from_the_maps_it_names(tiles: torch.Tensor) -> None:
    discriminator = Discriminator(TINY)
    images = tiles.float() / 127.5 - 1
    maps = discriminator.maps(images)  # of edges 16, 8 and 4
    expected = {
        FeatureLayer.FC: discriminator.features(images),
        FeatureLayer.POOL: torch.stack(
            [maps[-1][..., y : y + 2, x : x + 2].mean((2, 3)) for y in (0, 2) for x in (0, 2)], dim=2
        ).flatten(1),
        FeatureLayer.MULTI: moments(maps[2]),  # there is no map at an eighth of 16 pixels
        FeatureLayer.FINE: torch.cat([moments(m) for m in maps], dim=1),
        FeatureLayer.FC_MULTI: torch.cat([discriminator.features(images), moments(maps[2])], dim=1),
        FeatureLayer.ALL: torch.cat([discriminator.features(images), *(moments(m) for m in maps)], dim=1),
    }
    for layer, vectors in expected.items():
        torch.testing.assert_close(Featurizer(discriminator, layer)(tiles), vectors, rtol=1e-4, atol=1e-5)


def test_moments_are_mean_and_standard_deviation_of_each_map() -> None:
    maps = torch.tensor([[[[1.0, 3.0], [1.0, 3.0]], [[5.0, 5.0], [5.0, 5.0]]]])
    torch.testing.assert_close(moments(maps), torch.tensor([[2.0, 5.0, 1.0, 1e-4]]))


def test_a_turned_vector_is_the_mean_over_eight_orientations(tiles: torch.Tensor) -> None:
    discriminator = Discriminator(TINY)
    turned = Featurizer(discriminator, FeatureLayer.FC_MULTI, turned=True)
    plain = Featurizer(discriminator, FeatureLayer.FC_MULTI)
    views = [torch.rot90(t, k, (2, 3)) for t in (tiles, tiles.flip(3)) for k in range(4)]
    expected = torch.stack([plain(view) for view in views]).mean(0)
    torch.testing.assert_close(turned(tiles), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(turned(torch.rot90(tiles, 1, (2, 3))), turned(tiles), rtol=1e-4, atol=1e-5)


def test_the_middle_half_is_enlarged_as_by_a_library_for_images(tiles: torch.Tensor) -> None:
    """Pillow interpolates floats without rounding, and does not look beyond the box that it enlarges."""
    enlarged = MiddleHalf(16)(tiles.float())
    for tile, result in zip(tiles.flatten(0, 1).float().numpy(), enlarged.flatten(0, 1), strict=True):
        expected = Image.fromarray(tile).crop((4, 4, 12, 12)).resize((16, 16), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(result, np.asarray(expected), atol=1e-4)


@pytest.mark.parametrize("turned", [False, True])
def test_with_the_centre_a_vector_is_joined_with_that_of_the_middle_half(tiles: torch.Tensor, turned: bool) -> None:
    discriminator = Discriminator(TINY)
    joined = Featurizer(discriminator, FeatureLayer.FC_MULTI, turned=turned, centre=True)
    plain = Featurizer(discriminator, FeatureLayer.FC_MULTI, turned=turned)
    # The weights of the interpolation are sixteenths, so the enlarged tiles are whole numbers.
    coarse = tiles // 16 * 16
    expected = torch.cat([plain(coarse), plain(MiddleHalf(16)(coarse.float()).to(torch.uint8))], dim=1)
    assert expected.shape == (5, joined.features)
    torch.testing.assert_close(joined(coarse), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.cat([joined(tile[None]) for tile in coarse]), expected, rtol=1e-4, atol=1e-5)


def test_whitened_components_are_those_of_the_standardised_features() -> None:
    """They have mean 0, variance 1 and no correlation, and their order is that of the variance that they explain."""
    images = torch.randint(0, 256, (64, 2, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    featurizer = Featurizer(Discriminator(TINY), FeatureLayer.FC)
    components = Whitened.fitted(featurizer, images, 6)(images).double()
    torch.testing.assert_close(components.T @ components / 64, torch.eye(6).double(), rtol=0, atol=1e-3)
    features = featurizer(images).double()
    explained = ((features - features.mean(0)) / features.std(0)).T @ components
    assert (explained.norm(dim=0).diff() < 0).all()
    with pytest.raises(BadInput, match="64 images do not give 25 components"):
        Whitened.fitted(featurizer, images, 25)


def test_a_featurizer_leaves_the_network_as_it_was(tiles: torch.Tensor) -> None:
    discriminator = Discriminator(TINY)
    before = discriminator.dense.weight.clone()
    Featurizer(discriminator, FeatureLayer.FC)(tiles)
    assert torch.equal(discriminator.dense.weight, before)
    assert discriminator.dense.weight_gain != 1.0


def test_an_unknown_layer_is_refused() -> None:
    assert feature_layer("pool") is FeatureLayer.POOL
    with pytest.raises(BadInput, match="unknown tap 'last'; use one of fc, pool, multi, fine, fc-multi, all"):
        feature_layer("last")
